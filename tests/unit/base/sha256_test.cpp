// Goal: the digests that the standards and other implementations give, whatever the pieces.
// Source: FIPS 180-4's examples, RFC 4231 section 4; the rest is from Python's hashlib.
#include "engine/base/sha256.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace millrace;

namespace {

std::string hex(const Sha256Digest& digest) {
  std::string out;
  for (const std::uint8_t byte : digest) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

std::string sha256(std::string_view text, std::size_t step = 1000) {
  Sha256 hash;
  for (std::size_t at = 0; at < text.size(); at += step) hash.update(text.substr(at, step));
  return hex(hash.finish());
}

}  // namespace

TEST_CASE("sha256: known digests") {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  const std::string million(1'000'000, 'a');
  const char* const want = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
  for (const std::size_t step : {1u, 63u, 64u, 65u, 1'000'000u}) CHECK(sha256(million, step) == want);
}

TEST_CASE("sha256: every size around the padding") {
  Sha256 all;
  for (std::size_t size = 0; size < 200; ++size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>(i * 7 + size);
    Sha256 one;
    one.update(text);
    const Sha256Digest digest = one.finish();
    all.update({reinterpret_cast<const char*>(digest.data()), digest.size()});
  }
  CHECK(hex(all.finish()) == "8c7c9ff69da76fc28823a1cb97268672663e628e1ea955868b16db46bab0545d");
}

TEST_CASE("hmac: known codes") {
  struct Case {
    std::string key, text;
    std::string_view want;
  };
  std::string counting;
  for (char byte = 1; byte <= 25; ++byte) counting += byte;
  const Case cases[] = {
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {counting, std::string(50, '\xcd'), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The key needs "
       "to "
       "be hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
      {std::string(64, '\xaa'), "x", "ce3c639dcb9d8baae5d44c3b8b5e233faab4d1860e07489af5c84f213998bd79"},
      {std::string(65, '\xaa'), "x", "c2b9a0a013df029c7d812c5ac18388feef0194ee64fcc5f321d149c06137caa3"},
      {"", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
  };
  for (const Case& c : cases) CHECK(hex(hmac_sha256(c.key, c.text)) == c.want);
}

TEST_CASE("digests: equal in every byte, or not") {
  Sha256Digest a{};
  Sha256Digest b{};
  CHECK(equal_in_constant_time(a, b));
  for (std::uint8_t& byte : b) {
    byte = 0x80;
    CHECK_FALSE(equal_in_constant_time(a, b));
    byte = 0;
  }
}
