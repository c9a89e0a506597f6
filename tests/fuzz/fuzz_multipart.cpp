// fuzz_multipart.cpp: a form cut anywhere gives what it gives whole, and no more bytes than came in.
//
// Input       the first byte seeds the cuts, the rest is the body; the boundary is "XX".
// Property    the same verdict, the same parts, the same data; no part where the body has no boundary.
#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "engine/base/assert.hpp"
#include "engine/http/multipart.hpp"

namespace {

using namespace millrace;
using namespace millrace::http;

constexpr MultipartLimits limits{.parts_max = 8, .part_head_bytes_max = 128};

struct Outcome {
  Errc code = Errc::ok;
  std::string text;
  unsigned parts = 0;
};

template <class NextPiece>
Outcome read(std::string_view wire, NextPiece next_piece) {
  Outcome outcome;
  MultipartParser parser("XX", limits);
  bool in_part = false;
  while (!wire.empty()) {
    const std::string piece(wire.substr(0, next_piece(wire.size())));
    wire.remove_prefix(piece.size());
    for (std::string_view input = piece;;) {
      auto event = parser.next(input);
      if (!event) {
        MR_ASSERT(event.error().status >= 400);
        outcome.code = event.error().code;
        return outcome;
      }
      const MultipartEvent got = event.value();
      if (got.step == MultipartStep::need_more) {
        MR_ASSERT(input.empty());
        break;
      }
      if (got.step == MultipartStep::part) {
        MR_ASSERT(!in_part);
        in_part = true;
        ++outcome.parts;
        outcome.text += "[" + parser.head().name + "|" + parser.head().filename.value_or("-") + "|" +
                        parser.head().content_type + ":";
        for (const char byte : parser.head().name + parser.head().filename.value_or(""))
          MR_ASSERT(byte != '\r' && byte != '\n' && byte != '\0');
      } else if (got.step == MultipartStep::data) {
        MR_ASSERT(in_part && !got.data.empty());
        outcome.text += got.data;
      } else {
        MR_ASSERT(in_part == (got.step == MultipartStep::part_end));
        in_part = false;
        outcome.text += got.step == MultipartStep::end ? '.' : ']';
      }
    }
  }
  outcome.code = parser.finish().code;
  MR_ASSERT(outcome.parts <= limits.parts_max);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = read(wire, [](std::size_t left) { return left; });
  MR_ASSERT(whole.parts == 0 || wire.find("--XX") != std::string_view::npos);
  std::mt19937 random(data[0]);
  const Outcome cut =
      read(wire, [&](std::size_t left) { return 1 + random() % std::min<std::size_t>(left, 9); });
  MR_ASSERT(cut.code == whole.code);
  if (whole.code == Errc::ok) MR_ASSERT(cut.text == whole.text);

  std::string boundary;
  if (read_boundary(wire, boundary)) MR_ASSERT(!boundary.empty() && boundary.size() <= 70);
  return 0;
}
