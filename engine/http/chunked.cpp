// chunked.cpp: one state a byte of framing; data is moved in one piece.
#include "engine/http/chunked.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/http/char_class.hpp"
#include "engine/http/trailer.hpp"

namespace millrace::http {

namespace {

enum class Step : std::uint8_t {
  size_first,  // A hex digit must come.
  size,
  size_blank,   // White space behind the size: only an extension may follow.
  ext_name_at,  // Behind ";".
  ext_name,
  ext_name_blank,
  ext_value_at,  // Behind "=".
  ext_token,
  ext_quoted,
  ext_escape,
  ext_quoted_end,
  ext_blank,  // White space behind a value: only another extension may follow.
  size_lf,
  data,
  data_cr,
  data_lf,
  trailer_at,  // First byte of a trailer line, or the CR of the last, empty one.
  trailer_name,
  trailer_value,
  trailer_lf,
  dropped_value,
  dropped_lf,
  last_lf,
  done,
};

constexpr unsigned size_digits_ceiling = 64;  // Leading zeros included.

constexpr Error bad_chunk{Errc::bad_chunk, 400};
constexpr Error bad_trailer{Errc::bad_trailer, 400};

bool is_blank(char byte) noexcept { return byte == ' ' || byte == '\t'; }
bool is_token(char byte) noexcept { return is_class(byte, char_class::token); }

/// The decoder for the bytes of one call; what must outlive it is in `state`.
class Decoder {
 public:
  Decoder(ChunkedState& state, const ChunkLimits& limits, char* trailers, std::size_t* trailers_size) noexcept
      : state_(state), limits_(limits), trailers_(trailers), trailers_size_(trailers_size) {}

  Error framing_byte(char byte) noexcept;
  Step step() const noexcept { return static_cast<Step>(state_.step); }
  void go(Step step) noexcept { state_.step = static_cast<std::uint8_t>(step); }

 private:
  Error to(Step step) noexcept {
    go(step);
    return {};
  }
  Error expect(char byte, char want, Step step) noexcept { return byte == want ? to(step) : bad_chunk; }
  Error count_overhead() noexcept;
  Error size_digit(char byte) noexcept;
  Error size_end(char byte) noexcept;
  Error extension(char byte) noexcept;
  Error trailer(char byte) noexcept;
  Error trailer_start(char byte) noexcept;
  void keep(char byte) noexcept {
    if (trailers_ != nullptr) trailers_[(*trailers_size_)++] = byte;
  }
  bool drop_if_forbidden() noexcept;

  ChunkedState& state_;
  const ChunkLimits& limits_;
  char* trailers_;
  std::size_t* trailers_size_;
};

/// A chunk of a few bytes costs its sender nothing and us a turn of this loop: framing may not
/// outweigh the data by more than the grace (RFC 9112 section 7.1.1 asks for a bound).
Error Decoder::count_overhead() noexcept {
  const std::uint64_t allowed = limits_.overhead_grace_bytes + state_.body_bytes;
  if (state_.overhead_bytes >= allowed) return bad_chunk;
  if (state_.overhead_bytes != UINT32_MAX) ++state_.overhead_bytes;
  return {};
}

Error Decoder::size_digit(char byte) noexcept {
  const int value = hex_value(byte);
  if (value < 0) return step() == Step::size ? size_end(byte) : bad_chunk;
  if (++state_.digits > size_digits_ceiling || state_.chunk_left_bytes >> 60 != 0) return bad_chunk;
  state_.chunk_left_bytes = state_.chunk_left_bytes * 16 + static_cast<std::uint64_t>(value);
  const unsigned significant = (static_cast<unsigned>(std::bit_width(state_.chunk_left_bytes)) + 3) / 4;
  if (significant > limits_.size_digits_max) return bad_chunk;
  return to(Step::size);
}

/// The byte behind the last digit: the size is known.
Error Decoder::size_end(char byte) noexcept {
  if (byte != '\r' && byte != ';' && !is_blank(byte)) return bad_chunk;
  // RFC 9112 section 7.1: no overflow may pass; beyond 63 bits no sum can hold it.
  if (state_.chunk_left_bytes >> 63 != 0) return bad_chunk;
  const std::uint64_t room = limits_.body_bytes_max - std::min(limits_.body_bytes_max, state_.body_bytes);
  if (state_.chunk_left_bytes > room) return {Errc::body_too_large, 413};
  if (byte == '\r') return to(Step::size_lf);
  return to(byte == ';' ? Step::ext_name_at : Step::size_blank);
}

/// chunk-ext = *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ), checked and forgotten.
Error Decoder::extension(char byte) noexcept {
  if (++state_.extension_bytes > limits_.extension_bytes_max) return bad_chunk;
  const Step now = step();
  switch (byte) {
    case ';':
      if (now == Step::ext_quoted || now == Step::ext_escape) break;
      if (now == Step::ext_name_at || now == Step::ext_value_at) return bad_chunk;
      return to(Step::ext_name_at);
    case '\r':
      if (now != Step::ext_name && now != Step::ext_token && now != Step::ext_quoted_end) return bad_chunk;
      return to(Step::size_lf);
    default: break;
  }
  const bool blank = is_blank(byte);
  if (now == Step::size_blank) return blank ? Error{} : bad_chunk;
  if (now == Step::ext_name_at) return blank ? Error{} : is_token(byte) ? to(Step::ext_name) : bad_chunk;
  if (now == Step::ext_name || now == Step::ext_name_blank) {
    if (byte == '=') return to(Step::ext_value_at);
    if (blank) return to(Step::ext_name_blank);
    return now == Step::ext_name && is_token(byte) ? Error{} : bad_chunk;
  }
  if (now == Step::ext_value_at) {
    if (blank) return {};
    if (byte == '"') return to(Step::ext_quoted);
    return is_token(byte) ? to(Step::ext_token) : bad_chunk;
  }
  if (now == Step::ext_token) return is_token(byte) ? Error{} : blank ? to(Step::ext_blank) : bad_chunk;
  if (now == Step::ext_quoted) {
    if (byte == '"') return to(Step::ext_quoted_end);
    if (byte == '\\') return to(Step::ext_escape);
    return is_class(byte, char_class::quoted) ? Error{} : bad_chunk;
  }
  if (now == Step::ext_escape) return is_class(byte, char_class::control) ? bad_chunk : to(Step::ext_quoted);
  MR_ASSERT(now == Step::ext_quoted_end || now == Step::ext_blank);
  return blank ? to(Step::ext_blank) : bad_chunk;
}

/// Looks at the name that was just kept, up to the line's first byte; takes it back where the field
/// must not arrive this late.
bool Decoder::drop_if_forbidden() noexcept {
  if (trailers_ == nullptr) return true;
  std::size_t line_at = *trailers_size_;
  while (line_at != 0 && trailers_[line_at - 1] != '\n') --line_at;
  if (!forbidden_in_trailer({trailers_ + line_at, *trailers_size_ - line_at})) return false;
  *trailers_size_ = line_at;
  return true;
}

Error Decoder::trailer_start(char byte) noexcept {
  if (byte == '\r') return to(Step::last_lf);
  if (!is_token(byte)) return bad_trailer;
  if (state_.trailer_fields == limits_.trailer_fields_max) return {Errc::trailers_too_large, 431};
  ++state_.trailer_fields;
  keep(byte);
  return to(Step::trailer_name);
}

Error Decoder::trailer(char byte) noexcept {
  if (++state_.trailer_bytes > limits_.trailer_bytes_max) return {Errc::trailers_too_large, 431};
  const Step now = step();
  if (now == Step::trailer_at) return trailer_start(byte);
  if (now == Step::trailer_name) {
    if (byte == ':' && drop_if_forbidden()) return to(Step::dropped_value);
    if (byte != ':' && !is_token(byte)) return bad_trailer;
    keep(byte);
    return to(byte == ':' ? Step::trailer_value : Step::trailer_name);
  }
  if (now == Step::trailer_value || now == Step::dropped_value) {
    const bool kept = now == Step::trailer_value;
    if (byte != '\r' && is_class(byte, char_class::control)) return bad_trailer;
    if (kept) keep(byte);
    return byte != '\r' ? Error{} : to(kept ? Step::trailer_lf : Step::dropped_lf);
  }
  if (byte != '\n') return bad_trailer;
  if (now == Step::last_lf) return to(Step::done);
  if (now == Step::trailer_lf) keep(byte);
  return to(Step::trailer_at);
}

/// One byte that is not data.
Error Decoder::framing_byte(char byte) noexcept {
  const Step now = step();
  if (now >= Step::trailer_at) return trailer(byte);
  if (const Error error = count_overhead(); error.failed()) return error;
  if (now == Step::size_first || now == Step::size) return size_digit(byte);
  if (now == Step::data_cr) return expect(byte, '\r', Step::data_lf);
  if (now == Step::data_lf) return expect(byte, '\n', Step::size_first);
  if (now != Step::size_lf) return extension(byte);
  state_.digits = 0;
  return expect(byte, '\n', state_.chunk_left_bytes == 0 ? Step::trailer_at : Step::data);
}

}  // namespace

Result<ChunkedProgress> decode_chunked(ChunkedState& state, const ChunkLimits& limits, const char* in,
                                       std::size_t in_size, char* out, char* trailers_out,
                                       std::size_t* trailers_size) noexcept {
  Decoder decoder(state, limits, trailers_out, trailers_size);
  ChunkedProgress progress;
  while (progress.consumed_bytes != in_size && decoder.step() != Step::done) {
    if (decoder.step() != Step::data) {
      const Error error = decoder.framing_byte(in[progress.consumed_bytes]);
      if (error.failed()) return error;
      ++progress.consumed_bytes;
      continue;
    }
    const auto bytes = static_cast<std::size_t>(
        std::min<std::uint64_t>(state.chunk_left_bytes, in_size - progress.consumed_bytes));
    std::memmove(out + progress.written_bytes, in + progress.consumed_bytes, bytes);
    progress.consumed_bytes += bytes;
    progress.written_bytes += bytes;
    state.body_bytes += bytes;
    state.chunk_left_bytes -= bytes;
    if (state.chunk_left_bytes == 0) decoder.go(Step::data_cr);
  }
  progress.done = decoder.step() == Step::done;
  return progress;
}

std::size_t encode_chunk_size(std::uint64_t size_bytes, char* out) noexcept {
  const unsigned digits = size_bytes == 0 ? 1 : (static_cast<unsigned>(std::bit_width(size_bytes)) + 3) / 4;
  for (unsigned i = 0; i < digits; ++i) {
    out[i] = "0123456789abcdef"[size_bytes >> (4 * (digits - 1 - i)) & 15];
  }
  out[digits] = '\r';
  out[digits + 1] = '\n';
  return digits + 2;
}

}  // namespace millrace::http
