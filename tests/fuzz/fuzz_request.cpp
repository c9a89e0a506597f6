// fuzz_request.cpp: what a handler reads of a target and of cookies, against the obvious way to read it.
//
// Input       a target, a line end, and the value of a Cookie field.
#include <millrace/detail/query_read.hpp>
#include <millrace/request.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/assert.hpp"
#include "engine/http/head_parser.hpp"
#include "engine/http/target.hpp"
#include "engine/mem/block_pool.hpp"
#include "engine/proto/exchange.hpp"

namespace {

using namespace millrace;

class Nobody final : public proto::ReplySink {
 public:
  void reply(proto::Exchange&, const proto::ReplyView&) noexcept override {}
  void reply_fixed(proto::Exchange&, const proto::FixedReply&) noexcept override {}
  void reply_source(proto::Exchange&, const proto::FixedReply&, proto::BodySource&,
                    std::uint64_t) noexcept override {}
  void finished(proto::Exchange&) noexcept override {}
  const net::Transport* transport(const proto::Exchange&) const noexcept override { return nullptr; }
};

int hex(char digit) {
  constexpr std::string_view digits = "0123456789abcdef";
  const std::size_t at = digits.find(static_cast<char>(digit | (digit >= 'A' ? 0x20 : 0)));
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

/// A byte at a time; nothing for a malformed escape.
std::optional<std::string> decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%') {
      if (at + 2 >= text.size() || hex(text[at + 1]) < 0 || hex(text[at + 2]) < 0) return std::nullopt;
      out += static_cast<char>(hex(text[at + 1]) * 16 + hex(text[at + 2]));
      at += 2;
    } else {
      out += plus_is_space && text[at] == '+' ? ' ' : text[at];
    }
  }
  return out;
}

void check_decoding(std::string_view text) {
  for (const bool plus_is_space : {false, true}) {
    std::string copy(text);
    const std::size_t size = http::percent_decode(copy.data(), copy.size(), plus_is_space);
    const auto wanted = decoded(text, plus_is_space);
    MR_ASSERT((size != std::string::npos) == wanted.has_value());
    if (wanted) MR_ASSERT(copy.substr(0, size) == *wanted);
  }
}

void check_query(std::string_view query) {
  detail::QueryPairs pairs(query);
  std::string_view rest = query;
  while (pairs.next()) {
    std::string_view pair;
    while (pair.empty()) {  // Empty ones are passed over.
      MR_ASSERT(!rest.empty());
      pair = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    }
    const std::size_t equals = pair.find('=');
    MR_ASSERT(pairs.name() == decoded(pair.substr(0, equals), true));
    MR_ASSERT(pairs.value() == (equals == pair.npos ? "" : decoded(pair.substr(equals + 1), true)));
  }
  if (pairs.malformed()) MR_ASSERT(query.find('%') != std::string_view::npos);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// The first of that name, in the pairs between semicolons.
std::optional<std::string_view> cookie_of(std::string_view cookies, std::string_view name) {
  for (std::size_t at = 0; at < cookies.size();) {
    const std::size_t end = std::min(cookies.find(';', at), cookies.size());
    const std::string_view pair = cookies.substr(at, end - at);
    const std::size_t equals = pair.find('=');
    if (equals != pair.npos && trimmed(pair.substr(0, equals)) == name)
      return trimmed(pair.substr(equals + 1));
    at = end + 1;
  }
  return std::nullopt;
}

void check_request(std::string_view target, std::string_view cookies) {
  std::string bytes =
      "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\nCookie: " + std::string(cookies) + "\r\n\r\n";
  const std::size_t size = bytes.size();
  bytes.append(mem::padding_bytes, '\0');
  constexpr http::HeadLimits limits{.bytes_max = 8192, .fields_max = 8};
  http::Field fields[limits.fields_max];
  Nobody sink;
  proto::Exchange exchange(sink);
  exchange.head.fields = fields;
  exchange.head.fields_max = limits.fields_max;
  if (http::parse_head_strict(bytes.data(), size, limits, exchange.head).failed()) return;
  const Request& request = exchange.request;
  if (exchange.head.field_count == 2) MR_ASSERT(request.cookie("id") == cookie_of(cookies, "id"));
  const std::string raw(exchange.head.target());
  if (http::read_target(exchange.head, bytes.data(), exchange.target).failed()) return;
  if (exchange.target.form == http::TargetForm::origin) {
    MR_ASSERT(request.path() == decoded(raw.substr(0, raw.find('?')), false));
    MR_ASSERT(request.query() == (raw.find('?') == raw.npos ? "" : raw.substr(raw.find('?') + 1)));
  }
  if (const auto value = request.query("q")) MR_ASSERT(value->size() <= target.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view target = input.substr(0, input.find('\n'));
  const std::string_view cookies = input.substr(std::min(input.size(), target.size() + 1));
  check_decoding(target);
  check_query(target);
  check_request(target, cookies);
  return 0;
}
