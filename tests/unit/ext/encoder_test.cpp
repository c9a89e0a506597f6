// Goal: what an encoder writes, whole, in parts and begun anew, is what its library's decoder reads back.
#include "engine/ext/compress/encoder.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#ifdef MR_GZIP
#include <zlib.h>
#endif
#ifdef MR_BROTLI
#include <brotli/decode.h>
#endif
#ifdef MR_ZSTD
#include <zstd.h>
#endif

using namespace millrace;
using coding::Flush;
using http::Coding;

namespace {

constexpr std::size_t room = 4 << 20;

/// What can be decoded of it; the content may be cut.
std::string decode(Coding coding, const std::string& coded) {
  std::string out(room, '\0');
  std::size_t size = 0;
#ifdef MR_GZIP
  if (coding == Coding::gzip) {
    z_stream stream{};
    REQUIRE(::inflateInit2(&stream, 15 + 16) == Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(coded.data()));
    stream.avail_in = static_cast<uInt>(coded.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = room;
    const int result = ::inflate(&stream, Z_SYNC_FLUSH);
    CHECK((result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR));
    CHECK(stream.avail_in == 0);
    size = room - stream.avail_out;
    ::inflateEnd(&stream);
  }
#endif
#ifdef MR_BROTLI
  if (coding == Coding::br) {
    BrotliDecoderState* const state = ::BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
    std::size_t left = coded.size(), space = room;
    const auto* in = reinterpret_cast<const std::uint8_t*>(coded.data());
    auto* to = reinterpret_cast<std::uint8_t*>(out.data());
    CHECK(::BrotliDecoderDecompressStream(state, &left, &in, &space, &to, nullptr) !=
          BROTLI_DECODER_RESULT_ERROR);
    CHECK(left == 0);
    size = room - space;
    ::BrotliDecoderDestroyInstance(state);
  }
#endif
#ifdef MR_ZSTD
  if (coding == Coding::zstd) {
    ZSTD_DCtx* const context = ::ZSTD_createDCtx();
    ZSTD_inBuffer in{coded.data(), coded.size(), 0};
    ZSTD_outBuffer made{out.data(), room, 0};
    std::size_t result = 1;
    while (in.pos < in.size && ::ZSTD_isError(result) == 0 && result != 0)
      result = ::ZSTD_decompressStream(context, &made, &in);
    CHECK(::ZSTD_isError(result) == 0);
    CHECK(in.pos == in.size);
    size = made.pos;
    ::ZSTD_freeDCtx(context);
  }
#endif
  out.resize(size);
  return out;
}

std::vector<Coding> codings() {
  std::vector<Coding> found;
  for (const Coding coding : {Coding::gzip, Coding::br, Coding::zstd}) {
    if (coding::is_built_in(coding)) found.push_back(coding);
  }
  return found;
}

std::string text_of(std::size_t size) {
  std::string text;
  for (unsigned line = 0; text.size() < size; ++line)
    text += "line " + std::to_string(line * 7919 % 1000) + "\n";
  text.resize(size);
  return text;
}

}  // namespace

TEST_CASE("encoder: whole contents of every size, one after the other") {
  for (const Coding coding : codings()) {
    CAPTURE(http::name_of(coding));
    const auto encoder = coding::make_encoder(coding, {});
    REQUIRE(encoder != nullptr);
    for (const std::size_t size : {0u, 1u, 1000u, 100'000u, 3'000'000u}) {
      const std::string text = text_of(size);
      std::string coded = "before";
      REQUIRE(encoder->reset());
      REQUIRE(encoder->write(text, Flush::end, coded));
      CHECK(coded.starts_with("before"));
      coded.erase(0, 6);
      if (size >= 1000) CHECK(coded.size() < size / 2);
      CHECK(decode(coding, coded) == text);
    }
  }
}

TEST_CASE("encoder: what was flushed can be decoded before the rest has come") {
  for (const Coding coding : codings()) {
    CAPTURE(http::name_of(coding));
    const auto encoder = coding::make_encoder(coding, {});
    REQUIRE(encoder != nullptr);
    std::string coded, written;
    for (unsigned round = 0; round < 20; ++round) {
      const std::string part = text_of(1 + round * 5000);
      written += part;
      REQUIRE(encoder->write(std::string_view(part).substr(0, 1), Flush::none, coded));
      REQUIRE(encoder->write(std::string_view(part).substr(1), Flush::part, coded));
      CHECK(decode(coding, coded) == written);
    }
    REQUIRE(encoder->write("the end", Flush::none, coded));
    REQUIRE(encoder->write("", Flush::end, coded));
    CHECK(decode(coding, coded) == written + "the end");
  }
}

TEST_CASE("encoder: what no library stands for") {
  CHECK(coding::make_encoder(Coding::identity, {}) == nullptr);
  CHECK_FALSE(coding::is_built_in(Coding::identity));
  MESSAGE("built in: " << codings().size() << " of 3 codings");
}
