// fuzz_session.cpp: a whole HTTP/1.1 session against itself: the same bytes, cut in other places, are
// answered by the same replies, and the connection ends in the same way.
//
// Input       the first byte seeds the cuts, the rest is what the client sends before it ends.
// Not compared  where 100 (Continue) may be asked for: whether it is sent depends on what has come.
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "engine/base/assert.hpp"
#include "tests/support/memory_wire.hpp"

namespace {

using namespace millrace;

/// Answers with all that it was told.
class Telling final : public proto::RequestHandler {
 public:
  void route(proto::Exchange& exchange) noexcept override { exchange.route = this; }
  void start(proto::Exchange& exchange) noexcept override {
    std::string all(exchange.head.method_text());
    for (const std::string_view part :
         {exchange.target.path, exchange.target.query, exchange.body, exchange.trailers})
      (all += '|') += part;
    exchange.sink->reply(exchange, {.body = all});
  }
  void refuse(proto::Exchange& exchange, Error error) noexcept override {
    exchange.sink->reply(exchange, {.status = error.status, .body = name_of(error.code)});
  }
};

h1::Options small_limits() {
  h1::Options options;
  options.head = {.bytes_max = 1024, .fields_max = 16};
  options.body_bytes_max = 2048;
  options.wall_clock = []() noexcept { return TimeNs{1'700'000'000} * ns_per_s; };
  return options;
}

/// next_piece(left) gives the size of the next piece, 1 to left.
template <class NextPiece>
std::string answer(std::string_view bytes, NextPiece next_piece) {
  static const h1::Options options = small_limits();
  static Telling handler;
  test::MemoryWire wire(options, handler);
  std::string all;
  while (!bytes.empty()) {
    const std::size_t size = next_piece(bytes.size());
    all += wire.send(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  all += wire.end();
  MR_ASSERT(wire.finished || wire.aborted);
  wire.close();
  MR_ASSERT(wire.pool.bytes_used() == 0);
  MR_ASSERT(wire.http.exchanges_live() == 0);
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::mt19937 random(data[0]);
  const std::string whole = answer(bytes, [](std::size_t left) { return left; });
  const std::string single = answer(bytes, [](std::size_t) { return std::size_t{1}; });
  const std::string some =
      answer(bytes, [&](std::size_t left) { return 1 + random() % std::min<std::size_t>(left, 40); });
  if (bytes.find("xpect") != std::string_view::npos || bytes.find("XPECT") != std::string_view::npos)
    return 0;
  for (const char byte : {'e', 'E'}) {  // In any case of its letters.
    for (std::size_t at = bytes.find(byte); at != std::string_view::npos; at = bytes.find(byte, at + 1)) {
      std::string name(bytes.substr(at, 6));
      for (char& letter : name) letter = static_cast<char>(letter | 0x20);
      if (name == "expect") return 0;
    }
  }
  MR_ASSERT(single == whole);
  MR_ASSERT(some == whole);
  return 0;
}
