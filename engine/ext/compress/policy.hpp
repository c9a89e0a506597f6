// policy.hpp: whether a reply is compressed, and how. Source: RFC 9110 sections 8.4, 8.8.1 and 12.5.3,
// RFC 9111 section 5.2.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/http/accept_encoding.hpp"

namespace millrace::coding {

/// What is asked of a reply. Views into it.
struct Facts {
  unsigned status = 200;
  std::string_view content_type = {};
  std::optional<std::uint64_t> body_bytes = {};           ///< Nothing: not known yet, a stream.
  std::optional<std::string_view> content_encoding = {};  ///< There already.
  std::optional<std::string_view> cache_control = {};
  bool has_digest = false;  ///< A digest of the content, which would not be right any more.
};

/// Text, and what is text in all but name: scripts, JSON, XML, SVG, WebAssembly, fonts that are not compressed
/// themselves. Not text/event-stream, whose heartbeats are written behind any encoder's back.
bool is_compressible(std::string_view content_type) noexcept;

/// Whether one of `types` ("text/html", "text/*") is this one.
bool is_among(std::span<const std::string> types, std::string_view content_type) noexcept;

/// Whether a client might get this reply compressed, if it asked for it: then the reply varies.
/// types: in place of is_compressible(); empty: that.
bool may_compress(const Facts& facts, std::uint64_t bytes_min, std::span<const std::string> types) noexcept;

/// What the client likes best of what is built in; where it likes several as well: zstd, br, gzip, in the
/// order of what they cost for the same size. identity, where it likes that best or takes nothing else.
http::Coding choose(const http::AcceptedCodings& accepted) noexcept;

/// A strong entity tag made weak: what it names is no longer the same byte for byte. A weak one stays.
std::string weakened(std::string_view etag);

/// Whether a Vary field names Accept-Encoding already, or everything.
bool varies_by_coding(std::string_view vary) noexcept;

}  // namespace millrace::coding
