#include "engine/ext/compress/policy.hpp"

#include <algorithm>
#include <array>

#include "engine/ext/compress/encoder.hpp"
#include "engine/http/framing.hpp"
#include "engine/http/parameters.hpp"

namespace millrace::coding {
namespace {

using http::equal_ignoring_case;

constexpr std::array<std::string_view, 14> types = {"application/javascript",
                                                    "application/json",
                                                    "application/manifest+json",
                                                    "application/rtf",
                                                    "application/toml",
                                                    "application/wasm",
                                                    "application/x-javascript",
                                                    "application/x-ndjson",
                                                    "application/xml",
                                                    "application/yaml",
                                                    "font/otf",
                                                    "font/ttf",
                                                    "image/bmp",
                                                    "image/svg+xml"};

bool starts_with(std::string_view text, std::string_view prefix) noexcept {
  return equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}
bool ends_with(std::string_view text, std::string_view suffix) noexcept {
  return text.size() >= suffix.size() &&
         equal_ignoring_case(text.substr(text.size() - suffix.size()), suffix);
}

}  // namespace

bool is_compressible(std::string_view content_type) noexcept {
  const std::string_view type = http::value_before_parameters(content_type);
  if (starts_with(type, "text/")) return !equal_ignoring_case(type, "text/event-stream");
  return ends_with(type, "+json") || ends_with(type, "+xml") ||
         std::any_of(types.begin(), types.end(),
                     [type](std::string_view known) { return equal_ignoring_case(known, type); });
}

bool is_among(std::span<const std::string> wanted, std::string_view content_type) noexcept {
  const std::string_view type = http::value_before_parameters(content_type);
  return std::any_of(wanted.begin(), wanted.end(), [type](std::string_view one) {
    return one.ends_with("/*") ? starts_with(type, one.substr(0, one.size() - 1))
                               : equal_ignoring_case(one, type);
  });
}

bool may_compress(const Facts& facts, std::uint64_t bytes_min, std::span<const std::string> wanted) noexcept {
  // A part of a representation is a part of its bytes as they are (206); the others have no content.
  const bool whole = facts.status >= 200 && facts.status != 204 && facts.status != 205 &&
                     facts.status != 206 && facts.status != 304;
  return whole && !facts.content_encoding && !facts.has_digest &&
         facts.body_bytes.value_or(bytes_min) >= bytes_min &&
         !http::list_has(facts.cache_control.value_or(""), "no-transform") &&
         (wanted.empty() ? is_compressible(facts.content_type) : is_among(wanted, facts.content_type));
}

http::Coding choose(const http::AcceptedCodings& accepted) noexcept {
  http::Coding best = http::Coding::identity;
  for (const http::Coding coding : {http::Coding::gzip, http::Coding::br, http::Coding::zstd}) {
    if (!is_built_in(coding)) continue;
    // At the same quality the later one; and any rather than identity.
    if (accepted.quality(coding) != 0 && accepted.quality(coding) >= accepted.quality(best)) best = coding;
  }
  return best;
}

std::string weakened(std::string_view etag) {
  std::string text(etag);
  if (text.starts_with('"')) text.insert(0, "W/");
  return text;
}

bool varies_by_coding(std::string_view vary) noexcept {
  return http::list_has(vary, "*") || http::list_has(vary, "accept-encoding");
}

}  // namespace millrace::coding
