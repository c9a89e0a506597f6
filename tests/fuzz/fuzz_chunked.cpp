// fuzz_chunked.cpp: a chunked body cut anywhere gives what it gives whole, in place and out of place.
//
// Input       the first byte seeds the cuts, the rest is the body.
// Property    the same verdict, the same data, the same trailers, the same bytes consumed.
#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "engine/base/assert.hpp"
#include "engine/http/chunked.hpp"

namespace {

using namespace millrace;
using namespace millrace::http;

constexpr ChunkLimits limits{.body_bytes_max = 4096,
                             .extension_bytes_max = 64,
                             .trailer_bytes_max = 256,
                             .trailer_fields_max = 4,
                             .overhead_grace_bytes = 512};

struct Outcome {
  Errc code = Errc::ok;
  bool done = false;
  std::size_t consumed = 0;
  std::string body;
  std::string trailers;
};

/// next_piece(left) gives the size of the next piece, 1 to left.
template <class NextPiece>
Outcome decode(std::string_view wire, bool in_place, NextPiece next_piece) {
  Outcome outcome;
  ChunkedState state;
  char trailers[limits.trailer_bytes_max];
  std::size_t trailers_size = 0;
  while (!outcome.done && outcome.consumed < wire.size()) {
    std::string piece(wire.substr(outcome.consumed, next_piece(wire.size() - outcome.consumed)));
    std::string apart(piece.size(), '\0');
    char* out = in_place ? piece.data() : apart.data();
    const auto progress =
        decode_chunked(state, limits, piece.data(), piece.size(), out, trailers, &trailers_size);
    if (!progress.ok()) {
      outcome.code = progress.error().code;
      MR_ASSERT(progress.error().status >= 400);
      return outcome;
    }
    const ChunkedProgress& step = progress.value();
    MR_ASSERT(step.consumed_bytes <= piece.size());
    MR_ASSERT(step.written_bytes <= step.consumed_bytes);
    MR_ASSERT(step.done || step.consumed_bytes == piece.size());
    outcome.body.append(out, step.written_bytes);
    outcome.consumed += step.consumed_bytes;
    outcome.done = step.done;
  }
  MR_ASSERT(outcome.body.size() <= limits.body_bytes_max);
  MR_ASSERT(trailers_size <= limits.trailer_bytes_max);
  outcome.trailers.assign(trailers, trailers_size);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto all = [](std::size_t left) { return left; };
  const Outcome whole = decode(wire, false, all);
  for (const bool in_place : {false, true}) {
    std::mt19937 random(data[0]);
    const auto some = [&](std::size_t left) { return 1 + random() % std::min<std::size_t>(left, 9); };
    for (const Outcome& cut : {decode(wire, in_place, some), decode(wire, in_place, all)}) {
      MR_ASSERT(cut.code == whole.code);
      if (whole.code != Errc::ok) continue;  // How much came before a refusal depends on the cuts.
      MR_ASSERT(cut.done == whole.done);
      MR_ASSERT(cut.consumed == whole.consumed);
      MR_ASSERT(cut.body == whole.body);
      MR_ASSERT(cut.trailers == whole.trailers);
    }
  }
  return 0;
}
