// Goal: a source that is coded while it is read gives all of its content, in pieces of any size, and its faults.
#include "engine/ext/compress/coded_source.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>

using namespace millrace;

namespace {

/// Codes nothing: brackets around what is written, so that the end shows.
class Brackets final : public coding::Encoder {
 public:
  bool write(std::string_view bytes, coding::Flush flush, std::string& out) override {
    if (fails) return false;
    if (!std::exchange(open_, true)) out += '[';
    out += bytes;
    if (flush == coding::Flush::end) out += ']';
    return true;
  }
  bool reset() override { return true; }
  bool fails = false;

 private:
  bool open_ = false;
};

struct Text final : proto::BodySource {
  Result<std::size_t> read(std::span<char> out) noexcept override {
    if (fails_at <= at) return Error{Errc::system, 0, 5};
    const std::size_t size = std::min({out.size(), text.size() - at, std::size_t{1000}});
    std::memcpy(out.data(), text.data() + at, size);
    at += size;
    return size;
  }
  void release() noexcept override { ++releases; }

  std::string text;
  std::size_t at = 0;
  std::size_t fails_at = ~std::size_t{0};
  unsigned releases = 0;
};

/// What comes out; "!" behind it where it ended with an error.
std::string read(Text& text, std::uint64_t bytes, std::size_t step, bool encoder_fails = false) {
  auto encoder = std::make_unique<Brackets>();
  encoder->fails = encoder_fails;
  proto::BodySource* const source = coding::make_coded_source(&text, bytes, std::move(encoder));
  std::string out;
  std::array<char, 4096> buffer;
  for (;;) {
    auto got = source->read({buffer.data(), step});
    if (!got) out += "!";
    if (!got || got.value() == 0) break;
    out.append(buffer.data(), got.value());
  }
  source->release();
  CHECK(text.releases == 1);
  return out;
}

}  // namespace

TEST_CASE("coded source: of known and of unknown length, in steps of any size") {
  for (const std::size_t size : {0u, 1u, 1000u, 100'000u}) {
    for (const std::size_t step : {1u, 7u, 4096u}) {
      for (const std::uint64_t declared : {std::uint64_t{size}, proto::length_unknown}) {
        Text text;
        text.text.assign(size, 'x');
        CHECK(read(text, declared, step) == "[" + text.text + "]");
      }
    }
  }
}

TEST_CASE("coded source: a fault of the source or of the encoder is the end, and no closing bracket comes") {
  Text text;
  text.text.assign(5000, 'x');
  text.fails_at = 3000;
  CHECK(read(text, 5000, 4096) == "[" + std::string(3000, 'x') + "!");
  Text whole;
  whole.text = "x";
  CHECK(read(whole, 1, 4096, true) == "!");
}
