// block_scan.hpp: a head by bit masks, 64 bytes at a time; the body of every vector kernel.
//
//   block -> masks of tokens, controls, CR, LF, colons
//         -> ends of names, by one addition     (a carry runs through a name and stops behind it)
//         -> faults, by a few more               (bare CR or LF, a control, a line without a colon)
//         -> name end, line end, name end, ...   walked bit by bit, one store a field
//
// No byte is looked at on its own but those next to a name's or a value's end.
//
// Everything is in an unnamed namespace on purpose: each kernel's file is compiled for its own
// instructions, and a function shared by the linker could end up with those of another.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/http/char_class.hpp"
#include "engine/http/head_parser.hpp"

namespace mr::http {
namespace {

/// One bit a byte, the first byte lowest.
struct FieldMasks {
  std::uint64_t token;
  std::uint64_t control;  ///< What no field value may hold; CR and LF among it.
  std::uint64_t cr;
  std::uint64_t lf;
  std::uint64_t colon;
};

inline __attribute__((always_inline)) unsigned lowest(std::uint64_t mask) {
  return static_cast<unsigned>(__builtin_ctzll(mask));
}

template <class Word>
inline __attribute__((always_inline)) Word load(const char* at) {
  Word word;
  __builtin_memcpy(&word, at, sizeof word);
  return word;
}

constexpr std::uint64_t word_of(const char* text, unsigned bytes) {
  std::uint64_t word = 0;
  for (unsigned i = 0; i < bytes; ++i) word |= static_cast<std::uint64_t>(text[i]) << (8 * i);
  return word;
}

/// Methods with the space behind them, as the first bytes of a request read as one word.
struct MethodWord {
  std::uint64_t word;
  std::uint64_t mask;
  std::uint16_t size;
  Method method;
};
constexpr MethodWord method_word(const char* text, std::uint16_t size, Method method) {
  return {word_of(text, size + 1u), ~std::uint64_t{0} >> (56 - 8 * size), size, method};
}
constexpr MethodWord method_words[] = {
    method_word("POST ", 4, Method::post),   method_word("HEAD ", 4, Method::head),
    method_word("PUT ", 3, Method::put),     method_word("DELETE ", 6, Method::delete_),
    method_word("PATCH ", 5, Method::patch), method_word("OPTIONS ", 7, Method::options),
    method_word("TRACE ", 5, Method::trace),
};

inline __attribute__((always_inline)) bool read_method(const char* data, Head& head) {
  const auto word = load<std::uint64_t>(data);
  if (static_cast<std::uint32_t>(word) == word_of("GET ", 4)) [[likely]] {
    head.method = Method::get;
    head.method_size = 3;
    return true;
  }
  for (const MethodWord& known : method_words) {
    if ((word & known.mask) != known.word) continue;
    head.method = known.method;
    head.method_size = known.size;
    return true;
  }
  return false;
}

/// The vector masks know the characters of a path. A query may hold a few more: from the first of
/// those on, byte by byte. Gives where it stopped.
__attribute__((noinline)) std::size_t skip_query(const char* data, std::size_t target_at, std::size_t at,
                                                 std::size_t size) {
  std::size_t mark = target_at;
  while (mark != at && data[mark] != '?') ++mark;
  if (mark == at) return at;
  while (at < size && (char_classes[static_cast<unsigned char>(data[at])] & char_class::query) != 0) ++at;
  return at;
}

/// A field from the three places that bound it.
inline __attribute__((always_inline)) void store_field(const char* data, std::size_t name_at,
                                                       std::size_t colon_at, std::size_t line_end,
                                                       Field& field) {
  const auto blank = [](char byte) { return byte == ' ' || byte == '\t'; };
  std::size_t value_at = colon_at + 1;
  value_at += data[value_at] == ' ' ? 1u : 0u;
  while (blank(data[value_at])) [[unlikely]]
    ++value_at;  // The CR stops it.
  std::size_t value_end = line_end;
  while (value_end > value_at && blank(data[value_end - 1])) [[unlikely]]
    --value_end;
  field.name_at = static_cast<std::uint16_t>(name_at);
  field.name_size = static_cast<std::uint16_t>(colon_at - name_at);
  field.value_at = static_cast<std::uint16_t>(value_at);
  field.value_size = static_cast<std::uint16_t>(value_end - value_at);
}

/// The field lines from `at` on, a byte of `block`, which holds the 64 bytes from `base` on.
template <class Block>
inline __attribute__((always_inline)) Scan scan_fields(const char* data, Block block, std::size_t base,
                                                       std::size_t at, std::size_t size, Head& head) {
  std::uint64_t line_carry = at == base ? 1 : 0;  // The block before ended in LF.
  std::uint64_t name_carry = 0;                   // A name runs over the block's end.
  std::uint64_t cr_carry = 0;                     // The block before ended in CR.
  std::uint64_t judged = ~std::uint64_t{0} << (at - base);
  std::size_t line_at = at;
  std::size_t colon_at = 0;  // 0: the next bit is a name's end.
  Field* field = head.fields;
  Field* const fields_end = field + head.fields_max;

  for (;;) {
    const std::size_t left = size - base;
    // Inside a long value: nothing begins here, nothing ends.
    if ((line_carry | name_carry | cr_carry) == 0 && left >= 64 && judged == ~std::uint64_t{0} &&
        block.controls() == 0) {
      base += 64;
      if (base >= size) return Scan::incomplete;
      block = Block(data + base);
      continue;
    }
    const FieldMasks masks = block.field_masks();
    if (left < 64) judged &= ~(~std::uint64_t{0} << left);
    const std::uint64_t starts = (masks.lf << 1) | line_carry;
    std::uint64_t run;
    const bool run_over = __builtin_add_overflow(masks.token, starts | name_carry, &run);
    const std::uint64_t name_ends = run & ~masks.token;
    // A line that begins with CR is the last one: what is behind it is not the head's.
    const std::uint64_t ends = starts & masks.cr & judged;
    const std::uint64_t inside = ends != 0 ? judged & ((ends & (0 - ends)) - 1) : judged;
    const std::uint64_t faults = (masks.control & ~(masks.cr | masks.lf)) |
                                 (((masks.cr << 1) | cr_carry) ^ masks.lf) | (name_ends & ~masks.colon) |
                                 (starts & masks.colon);
    if ((faults & inside) != 0) [[unlikely]]
      return Scan::unsure;

    std::uint64_t bounds = (name_ends | masks.cr) & inside;
    while (bounds != 0) {
      if (colon_at == 0) {
        colon_at = base + lowest(bounds);
        bounds &= bounds - 1;
        if (bounds == 0) break;
      }
      const std::size_t line_end = base + lowest(bounds);
      bounds &= bounds - 1;
      if (field == fields_end) [[unlikely]]
        return Scan::unsure;
      store_field(data, line_at, colon_at, line_end, *field++);
      line_at = line_end + 2;
      colon_at = 0;
    }

    if (ends != 0) {
      const std::size_t end = base + lowest(ends);
      if (end + 1 >= size) return Scan::incomplete;
      if (data[end + 1] != '\n') return Scan::unsure;
      head.field_count = static_cast<std::uint16_t>(field - head.fields);
      head.size = static_cast<std::uint16_t>(end + 2);
      return Scan::complete;
    }
    base += 64;
    if (base >= size) return Scan::incomplete;
    block = Block(data + base);
    line_carry = masks.lf >> 63;
    cr_carry = masks.cr >> 63;
    name_carry = run_over ? 1 : 0;
    judged = ~std::uint64_t{0};
  }
}

template <class Block>
inline __attribute__((always_inline)) Scan scan_blocks(const char* data, std::size_t size, Head& head) {
  constexpr std::size_t shortest = 16;  // "A / HTTP/1.1" and two line ends: no shorter head is complete.
  if (size < shortest) return Scan::incomplete;
  if (size > head_bytes_ceiling) size = head_bytes_ceiling;
  Block block(data);
  head.base = data;
  if (!read_method(data, head)) [[unlikely]]
    return Scan::unsure;
  const std::size_t target_at = head.method_size + 1u;
  if (data[target_at] != '/') [[unlikely]]
    return Scan::unsure;

  std::size_t base = 0;
  std::uint64_t stops = block.target_stops() & (~std::uint64_t{0} << target_at);
  while (stops == 0) {
    base += 64;
    if (base >= size) return Scan::incomplete;
    block = Block(data + base);
    stops = block.target_stops();
  }
  std::size_t at = base + lowest(stops);
  if (at < size && data[at] != ' ') [[unlikely]]
    at = skip_query(data, target_at, at, size);
  constexpr std::size_t version_line = 11;  // " HTTP/1.1\r\n"
  if (at + version_line > size) [[unlikely]]
    return Scan::incomplete;
  const auto version = load<std::uint64_t>(data + at + 1);
  const std::uint64_t minor = (version >> 56) - '0';
  if (data[at] != ' ' || (version << 8) != (word_of("HTTP/1.", 7) << 8) || minor > 1 ||
      load<std::uint16_t>(data + at + 9) != word_of("\r\n", 2)) [[unlikely]] {
    return Scan::unsure;
  }
  head.target_at = static_cast<std::uint16_t>(target_at);
  head.target_size = static_cast<std::uint16_t>(at - target_at);
  head.version_minor = static_cast<std::uint8_t>(minor);
  at += version_line;
  if (at >= size) [[unlikely]]
    return Scan::incomplete;
  if (at - base >= 64) {
    base += (at - base) & ~std::size_t{63};
    block = Block(data + base);
  }
  return scan_fields(data, block, base, at, size, head);
}

}  // namespace
}  // namespace mr::http
