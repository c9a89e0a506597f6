// multipart.hpp: several ranges of a file in one body. Source: RFC 9110 sections 14.6 and 15.3.7.2.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/ext/files/representation.hpp"
#include "engine/http/conditional.hpp"
#include "engine/proto/exchange.hpp"

namespace millrace::files {

/// The body "multipart/byteranges": for each range a delimiter, its type and place, and its bytes.
/// Allocated for one reply; release() frees it. Of a representation in memory it is read to its end before
/// the handler returns: a cache may drop those bytes then.
class MultipartSource final : public proto::BodySource {
 public:
  /// Null without memory. set.count >= 2.
  static MultipartSource* make(const Representation& representation, const http::RangeSet& set) noexcept;

  Result<std::size_t> read(std::span<char> out) noexcept override;
  void release() noexcept override;

  std::uint64_t size_bytes() const noexcept { return size_bytes_; }
  /// "multipart/byteranges; boundary=..."; valid until release().
  std::string_view content_type() const noexcept { return {content_type_.data(), content_type_bytes_}; }

 private:
  static constexpr std::size_t text_bytes_max = described_bytes_max + 256;

  MultipartSource(const Representation& representation, const http::RangeSet& set) noexcept;
  void write_delimiter(std::size_t index) noexcept;
  void begin(std::size_t index) noexcept;
  Result<std::size_t> read_file(std::span<char> out) noexcept;

  net::FileRef file_;
  const char* content_;
  std::uint64_t file_bytes_;
  http::RangeSet set_;
  std::uint64_t size_bytes_ = 0;
  std::size_t index_ = 0;       ///< The range that is read; set_.count: the end.
  std::string_view text_left_;  ///< Of the delimiter before it.
  std::uint64_t offset_ = 0;
  std::uint64_t bytes_left_ = 0;  ///< Of its bytes.
  std::uint64_t boundary_;
  std::array<char, described_bytes_max> type_;
  std::size_t type_bytes_;
  std::array<char, 64> content_type_;
  std::size_t content_type_bytes_;
  std::array<char, text_bytes_max> text_;
};

}  // namespace millrace::files
