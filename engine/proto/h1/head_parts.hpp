// head_parts.hpp: the pieces a reply's head is written from, and the whole of the reply made most.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engine/mem/block_pool.hpp"
#include "engine/net/chain.hpp"
#include "engine/proto/h1/date_line.hpp"
#include "engine/proto/h1/session.hpp"

namespace millrace::h1 {

/// Room for everything of a head but the content type's value and the caller's fields.
inline constexpr std::size_t fixed_parts_bytes = 256;

inline char* put(char* to, std::string_view text) noexcept {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());  // An empty one may be of no memory at all.
  return to + text.size();
}

/// "00" to "99", one after the other.
inline constexpr auto digit_pairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

/// A length of less has two digits at most, and is written without a call.
inline constexpr std::size_t small_body_bytes = 100;

inline char* put_number(char* to, std::uint64_t number) noexcept {
  if (number >= small_body_bytes) return std::to_chars(to, to + 20, number).ptr;
  if (number >= 10) {
    std::memcpy(to, &digit_pairs[2 * number], 2);
    return to + 2;
  }
  *to = static_cast<char>('0' + number);
  return to + 1;
}

/// A body of some ten bytes is the rule where speed counts: two stores that overlap, and no call.
inline char* put_body(char* to, std::string_view body) noexcept {
  const std::size_t size = body.size();
  if (size >= 8 && size <= 16) {
    std::uint64_t first, last;
    std::memcpy(&first, body.data(), 8);
    std::memcpy(&last, body.data() + size - 8, 8);
    std::memcpy(to, &first, 8);
    std::memcpy(to + size - 8, &last, 8);
  } else if (size != 0) {
    std::memcpy(to, body.data(), size);
  }
  return to + size;
}

/// Of a plain reply: what fits a block with its head.
inline constexpr std::size_t plain_body_max = 4096;

inline std::size_t plain_bytes(std::string_view body) noexcept { return fixed_parts_bytes + body.size(); }

/// Writes a plain reply by fixed-size stores. The chain's block has room for plain_bytes(body).
inline void write_plain(net::Chain& out, const DateLine& date, std::string_view body) noexcept {
  char* const begin = out.room_at_end();
  std::memcpy(begin, date.plain(), DateLine::plain_bytes);
  char* const to = put(put_number(begin + DateLine::plain_bytes, body.size()), "\r\n\r\n");
  out.commit(static_cast<std::size_t>(to - begin) + body.size());
  put_body(to, body);
}

}  // namespace millrace::h1
