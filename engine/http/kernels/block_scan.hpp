// block_scan.hpp: a head by bit masks, a block at a time; the body of every vector kernel. A block is
// 32 or 64 bytes, as wide as its Block::Mask has bits.
//
//   block -> masks of tokens, controls, CR
//         -> ends of names, by one addition    (a carry runs through a name and stops behind it)
//         -> faults, by a few more              (a control that is no line end, a line without a name)
//         -> name end, line end, name end, ...  walked bit by bit, one store a field
//
// No byte is looked at on its own but those next to a name's or a value's end: the colon, the LF, blanks.
//
// Everything is in an unnamed namespace on purpose: each kernel's file is compiled for its own
// instructions, and a function shared by the linker could end up with those of another.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/http/char_class.hpp"
#include "engine/http/head_parser.hpp"

/// A kernel is one function: a call inside it would cost more than what is called.
#define MR_INLINE inline __attribute__((always_inline))

namespace millrace::http {
namespace {

/// One bit a byte, the first byte lowest.
template <class Mask>
struct FieldMasks {
  Mask token;
  Mask control;  ///< 0x00 to 0x1f and 0x7f; HTAB, which is none, is told apart where it matters.
  Mask cr;
};

template <class Mask>
MR_INLINE unsigned lowest(Mask mask) {
  return static_cast<unsigned>(__builtin_ctzll(mask));
}

template <class Word>
MR_INLINE Word load(const char* at) {
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
inline constexpr MethodWord method_words[] = {
    method_word("POST ", 4, Method::post),   method_word("HEAD ", 4, Method::head),
    method_word("PUT ", 3, Method::put),     method_word("DELETE ", 6, Method::delete_),
    method_word("PATCH ", 5, Method::patch), method_word("OPTIONS ", 7, Method::options),
    method_word("TRACE ", 5, Method::trace),
};

MR_INLINE bool read_method(const char* data, Head& head) {
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
inline __attribute__((noinline)) std::size_t skip_query(const char* data, std::size_t target_at,
                                                        std::size_t at, std::size_t size) {
  std::size_t mark = target_at;
  while (mark != at && data[mark] != '?') ++mark;
  if (mark == at) return at;
  constexpr const std::uint8_t* classes = char_classes.data();
  while (at < size && (classes[static_cast<unsigned char>(data[at])] & char_class::query) != 0) ++at;
  return at;
}

/// A field from the three places that bound it. False where those are not a colon and a CRLF.
MR_INLINE bool store_field(const char* data, std::size_t name_at, std::size_t colon_at, std::size_t line_end,
                           Field& field) {
  // What a value holds below "!" is a space or a tab: other controls were faults.
  const auto blank = [](char byte) { return static_cast<unsigned char>(byte) <= ' '; };
  if (data[colon_at] != ':' || data[line_end + 1] != '\n') [[unlikely]]
    return false;
  std::size_t value_at = colon_at + 1;
  value_at += data[value_at] == ' ' ? 1u : 0u;
  std::size_t value_end = line_end;
  if (blank(data[value_at])) [[unlikely]] {
    while (value_at != line_end && blank(data[value_at])) ++value_at;
  }
  if (blank(data[line_end - 1])) [[unlikely]] {
    while (value_end != value_at && blank(data[value_end - 1])) --value_end;
  }
  field.name_at = static_cast<std::uint16_t>(name_at);
  field.name_size = static_cast<std::uint16_t>(colon_at - name_at);
  field.value_at = static_cast<std::uint16_t>(value_at);
  field.value_size = static_cast<std::uint16_t>(value_end - value_at);
  return true;
}

/// Where the walk over the field lines stands, from one block to the next.
template <class Mask>
struct Walk {
  const char* data;
  std::size_t size;
  Field* field;
  Field* fields_end;
  std::size_t line_at;       ///< The line that is being read.
  std::size_t colon_at = 0;  ///< Behind its name; 0: the name's end has not come.
  Mask line_carry = 0;       ///< Lines that begin in this block because of a CR in the one before.
  Mask lf_carry = 0;         ///< The block before ended in CR.
  Mask name_carry = 0;       ///< A name runs over the block's end.
};

enum class Step : std::uint8_t { onward, complete, incomplete, unsure };

/// One block: judges its bits in `judged`, and stores the fields that end in it.
template <class Block, class Mask = typename Block::Mask>
MR_INLINE Step step(Walk<Mask>& walk, const Block& block, std::size_t base, Mask judged, Head& head) {
  constexpr std::size_t block_bytes = 8 * sizeof(Mask);
  const FieldMasks<Mask> masks = block.field_masks();
  const std::size_t left = walk.size - base;
  if (left < block_bytes) judged &= ~static_cast<Mask>(~Mask{0} << left);
  const Mask starts = (masks.cr << 2) | walk.line_carry;
  Mask run;
  const bool run_over = __builtin_add_overflow(masks.token, starts | walk.name_carry, &run);
  const Mask name_ends = run & ~masks.token;
  // A line that begins with CR is the last one: what is behind it is not the head's.
  const Mask ends = starts & masks.cr & judged;
  const Mask inside = ends != 0 ? judged & (ends - 1) & ~ends : judged;
  const Mask controls = masks.control & ~(masks.cr | (masks.cr << 1) | walk.lf_carry);
  const Mask nameless = starts & ~masks.token;
  if (((controls | nameless) & inside) != 0) [[unlikely]] {
    if ((((controls & ~block.tabs()) | nameless) & inside) != 0) return Step::unsure;
  }

  Mask bounds = (name_ends | masks.cr) & inside;
  while (bounds != 0) {
    if (walk.colon_at == 0) {
      walk.colon_at = base + lowest(bounds);
      bounds &= bounds - 1;
      if (bounds == 0) break;
    }
    const std::size_t line_end = base + lowest(bounds);
    bounds &= bounds - 1;
    if (line_end + 1 >= walk.size) return Step::incomplete;
    if (walk.field == walk.fields_end ||
        !store_field(walk.data, walk.line_at, walk.colon_at, line_end, *walk.field)) [[unlikely]] {
      return Step::unsure;
    }
    ++walk.field;
    walk.line_at = line_end + 2;
    walk.colon_at = 0;
  }

  if (ends != 0) {
    const std::size_t end = base + lowest(ends);
    if (walk.colon_at != 0) return Step::unsure;  // The line before had no colon.
    if (end + 1 >= walk.size) return Step::incomplete;
    if (walk.data[end + 1] != '\n') return Step::unsure;
    head.field_count = static_cast<std::uint16_t>(walk.field - head.fields);
    head.size = static_cast<std::uint16_t>(end + 2);
    return Step::complete;
  }
  walk.line_carry = masks.cr >> (block_bytes - 2);
  walk.lf_carry = masks.cr >> (block_bytes - 1);
  walk.name_carry = run_over ? 1 : 0;
  return Step::onward;
}

MR_INLINE Scan verdict(Step step) {
  return step == Step::complete ? Scan::complete : step == Step::unsure ? Scan::unsure : Scan::incomplete;
}

/// The field lines from `at` on, a byte of `block`, which holds the bytes from `base` on.
template <class Block, class Mask = typename Block::Mask>
MR_INLINE Scan scan_fields(const char* data, Block block, std::size_t base, std::size_t at, std::size_t size,
                           Head& head) {
  constexpr std::size_t block_bytes = 8 * sizeof(Mask);
  Walk<Mask> walk{data, size, head.fields, head.fields + head.fields_max, at};
  walk.line_carry = Mask{1} << (at - base);
  // The first block apart from the rest: most small heads end in it, and nothing is carried into it.
  Step now = step(walk, block, base, ~Mask{0} << (at - base), head);
  while (now == Step::onward) {
    do {
      base += block_bytes;
      if (base >= size) return Scan::incomplete;
      block = Block(data + base);
      // Inside a long value nothing begins and nothing ends: on to the next block.
    } while ((walk.line_carry | walk.name_carry) == 0 && size - base >= block_bytes && block.controls() == 0);
    now = step(walk, block, base, ~Mask{0}, head);
  }
  return verdict(now);
}

template <class Block>
MR_INLINE Scan scan_blocks(const char* data, std::size_t size, Head& head) {
  constexpr std::size_t shortest = 16;  // "A / HTTP/1.1" and two line ends: no shorter head is complete.
  if (size < shortest) return Scan::incomplete;
  if (size > head_bytes_ceiling) size = head_bytes_ceiling;
  head.base = data;
  if (!read_method(data, head)) [[unlikely]]
    return Scan::unsure;
  const std::size_t target_at = head.method_size + 1u;
  if (data[target_at] != '/') [[unlikely]]
    return Scan::unsure;

  using Mask = typename Block::Mask;
  constexpr std::size_t block_bytes = 8 * sizeof(Mask);
  std::size_t base = 0;
  Block block(data);
  Mask stops = block.plain_stops() & (~Mask{0} << target_at);
  while (stops == 0) {
    base += block_bytes;
    if (base >= size) return Scan::incomplete;
    block = Block(data + base);
    stops = block.plain_stops();
  }
  std::size_t at = base + lowest(stops);
  head.plain_size = static_cast<std::uint16_t>(at - target_at);
  if (at < size && data[at] != ' ') {
    stops = block.target_stops() & (~Mask{0} << (at - base));
    while (stops == 0) {
      base += block_bytes;
      if (base >= size) return Scan::incomplete;
      block = Block(data + base);
      stops = block.target_stops();
    }
    at = base + lowest(stops);
    if (at < size && data[at] != ' ') [[unlikely]]
      at = skip_query(data, target_at, at, size);
  }
  constexpr std::size_t version_line = 11;  // " HTTP/1.1\r\n"
  if (at + version_line >= size) [[unlikely]]
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
  // A wide block that is loaded already holds the first lines too; narrow ones are better begun anew.
  if (block_bytes < 64 || at - base >= block_bytes) {
    base = at;
    block = Block(data + base);
  }
  return scan_fields(data, block, base, at, size, head);
}

}  // namespace
}  // namespace millrace::http
