// Goal: our derivation of keys is that of RFC 8446, and what OpenSSL uses in its place. Method: the figures of
// RFC 8448, and OpenSSL's own derivation beside ours on the same wishes.
#include <doctest/doctest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ext/tls/key_derivation.hpp"
#include "engine/ext/tls/openssl.hpp"

using namespace millrace;

namespace {

using Kdf = std::unique_ptr<EVP_KDF, tls::Freer<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, tls::Freer<EVP_KDF_CTX_free>>;

struct Wish {
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  std::string digest = "SHA256", key = {}, salt = {}, prefix = "tls13 ", label = {}, data = {};
  std::size_t size = 32;
};

std::string of_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

struct Scene {
  tls::Library openssl{OSSL_LIB_CTX_new()};
  tls::Provider added = tls::add_key_derivation(*openssl);

  Kdf fetch(const char* properties) const {
    return Kdf(EVP_KDF_fetch(openssl.get(), OSSL_KDF_NAME_TLS1_3_KDF, properties));
  }
  std::string provider(const char* properties) const {
    const Kdf kdf = fetch(properties);
    return kdf ? OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(kdf.get())) : "";
  }
  /// "" where it is refused.
  std::string derive(const char* properties, Wish wish) const {
    const Kdf kdf = fetch(properties);
    REQUIRE(kdf);
    const KdfContext context(EVP_KDF_CTX_new(kdf.get()));
    REQUIRE(context);
    std::vector<OSSL_PARAM> parameters = {OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &wish.mode)};
    parameters.push_back(OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, wish.digest.data(), 0));
    const auto add = [&](const char* name, std::string& bytes, bool always = false) {
      if (!bytes.empty() || always)
        parameters.push_back(OSSL_PARAM_construct_octet_string(name, bytes.data(), bytes.size()));
    };
    add(OSSL_KDF_PARAM_KEY, wish.key);
    add(OSSL_KDF_PARAM_SALT, wish.salt);
    add(OSSL_KDF_PARAM_PREFIX, wish.prefix, true);
    add(OSSL_KDF_PARAM_LABEL, wish.label, true);
    add(OSSL_KDF_PARAM_DATA, wish.data);
    parameters.push_back(OSSL_PARAM_construct_end());
    std::string out(wish.size, '\0');
    const int good = EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(out.data()), out.size(),
                                    parameters.data());
    ERR_clear_error();
    return good == 1 ? out : std::string();
  }
  std::string ours(const Wish& wish) const { return derive("provider=millrace", wish); }
  std::string openssls(const Wish& wish) const { return derive("provider=default", wish); }
};

}  // namespace

TEST_CASE("key derivation: the secrets and keys of RFC 8448 section 3") {
  const Scene scene;
  REQUIRE(scene.added);
  Wish wish{.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY, .label = "derived"};
  const std::string early = scene.ours(wish);
  CHECK(early == of_hex("33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a"));
  wish.salt = early;
  wish.key = of_hex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d");
  CHECK(scene.ours(wish) == of_hex("1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac"));
  Wish key{.key = of_hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"),
           .label = "key",
           .size = 16};
  CHECK(scene.ours(key) == of_hex("3fce516009c21727d0f2e4e86ee403bc"));
  key.label = "iv", key.size = 12;
  CHECK(scene.ours(key) == of_hex("5d313eb2671276ee13000b30"));
}

TEST_CASE("key derivation: what OpenSSL derives of the same") {
  const Scene scene;
  std::mt19937 random(1);
  const auto bytes = [&](std::size_t most) {
    std::string made(random() % (most + 1), '\0');
    for (char& byte : made) byte = static_cast<char>(random());
    return made;
  };
  std::size_t derived = 0;
  for (int i = 0; i < 4000; ++i) {
    const bool large = random() % 2 != 0;
    Wish wish{
        .digest = large ? "SHA384" : "SHA2-256", .prefix = bytes(8), .label = bytes(249), .data = bytes(255)};
    const std::size_t hash = large ? 48 : 32;
    wish.key = std::string(random() % 4 == 0 ? 0 : hash, 'k') + bytes(2);
    if (random() % 2 != 0) {
      wish.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
      wish.salt = random() % 2 != 0 ? std::string(hash, 's') : "";
      wish.data = "";
      wish.size = hash;
    } else {
      wish.size = 1 + random() % (random() % 8 == 0 ? 255 * hash : 100);
    }
    const std::string want = scene.openssls(wish);
    CAPTURE(i);
    REQUIRE(scene.ours(wish) == want);
    derived += !want.empty();
  }
  CHECK(derived > 3000);
}

TEST_CASE("key derivation: what is not of TLS 1.3 is refused") {
  const Scene scene;
  const Wish good{
      .key = std::string(32, 'k'), .label = "key", .data = std::string(255, 'd'), .size = 255 * 32};
  CHECK(scene.ours(good).size() == good.size);
  const auto refused = [&](auto&& change) {
    Wish wish = good;
    change(wish);
    return scene.ours(wish).empty();
  };
  CHECK(refused([](Wish& wish) { wish.size += 1; }));
  CHECK(refused([](Wish& wish) { wish.key.clear(); }));
  CHECK(refused([](Wish& wish) { wish.key = std::string(65, 'k'); }));
  CHECK(refused([](Wish& wish) { wish.data += 'd'; }));
  CHECK(refused([](Wish& wish) { wish.label = std::string(250, 'l'); }));
  CHECK(refused([](Wish& wish) { wish.digest = "SHA512"; }));
  CHECK(refused([](Wish& wish) { wish.digest = "MD5"; }));
  CHECK(refused([](Wish& wish) { wish.mode = EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND; }));
  CHECK(refused([](Wish& wish) { wish.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY; }));  // Not a hash's size.
}

TEST_CASE("key derivation: ours is taken where no other is demanded, and the default provider stays") {
  const Scene scene;
  CHECK(scene.provider(tls::own_derivation) == "millrace");
  EVP_MD* const digest = EVP_MD_fetch(scene.openssl.get(), "SHA256", tls::own_derivation);
  CHECK(digest != nullptr);
  EVP_MD_free(digest);
  REQUIRE(EVP_set_default_properties(scene.openssl.get(), "fips=yes") == 1);
  CHECK(scene.provider(tls::own_derivation).empty());  // There is none here.
}
