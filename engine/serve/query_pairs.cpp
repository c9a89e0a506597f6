// The pairs of a query, decoded one at a time.
#include <millrace/detail/query_read.hpp>

#include "engine/http/target.hpp"

namespace millrace::detail {
namespace {

/// False on a malformed escape.
bool decode(std::string_view raw, std::string& out) {
  out = raw;
  const std::size_t size = http::percent_decode(out.data(), out.size(), /*plus_is_space=*/true);
  if (size == std::string_view::npos) return false;
  out.resize(size);
  return true;
}

}  // namespace

bool QueryPairs::next() {
  while (!rest_.empty()) {
    const std::string_view pair = rest_.substr(0, rest_.find('&'));
    rest_.remove_prefix(pair.size() < rest_.size() ? pair.size() + 1 : pair.size());
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    malformed_ = !decode(pair.substr(0, equals), name_) ||
                 !decode(pair.substr(std::min(equals + 1, pair.size())), value_);
    return !malformed_;
  }
  return false;
}

// Names here are those of fields: whoever calls has found them in a list.
std::string pairs_fault_text(std::string_view source, std::string_view problem, std::string_view name) {
  std::string text(source);
  text.append(": ").append(problem);
  if (!name.empty()) text.append(": ").append(name);
  return text;
}

}  // namespace millrace::detail
