// Goal: only what a key has signed, under its name, before its end, is read back.
#include <doctest/doctest.h>
#include <millrace/signed_cookie.hpp>

#include <string>

#include "tests/unit/serve/app_fixture.hpp"

using namespace millrace;
using namespace std::chrono_literals;

namespace {

const std::string key_a(32, 'k');
const std::string key_b(40, 'b');
constexpr std::chrono::sys_seconds now{1'600'000'000s};
constexpr std::chrono::sys_seconds ends{1'700'000'000s};

/// The value that a Set-Cookie line gives a cookie of one letter.
std::string value_in(std::string_view fields) {
  const std::size_t begin = std::string_view("Set-Cookie: a=").size();
  return std::string(fields.substr(begin, fields.find(';') - begin));
}

}  // namespace

TEST_CASE("signed cookies: the text is what anybody with the key makes of it") {
  const SignedCookies cookies({key_a});
  // By Python's hmac and base64.
  CHECK(cookies.sign("user", "42", ends) == "NDI.1700000000.zwyverZwN7yk15L0Q_2JmOUPBhCQldNZT38ihCZJwh4");
  CHECK(cookies.verify("user", cookies.sign("user", "42", ends), now) == "42");
  CHECK(cookies.verify("user", cookies.sign("user", "42", std::nullopt), now) == "42");
  const std::string odd("\0;, \"\xff", 6);
  CHECK(cookies.verify("user", cookies.sign("user", odd, ends), now) == odd);
  CHECK(cookies.verify("user", cookies.sign("user", "", ends), now) == "");
}

TEST_CASE("signed cookies: they end") {
  const SignedCookies cookies({key_a});
  const std::string text = cookies.sign("a", "1", ends);
  CHECK(cookies.verify("a", text, ends - 1s).has_value());
  CHECK_FALSE(cookies.verify("a", text, ends).has_value());
  CHECK_FALSE(cookies.verify("a", text, ends + 1s).has_value());
  CHECK_FALSE(cookies.verify("a", cookies.sign("a", "1", std::chrono::sys_seconds{0s}), now).has_value());
  CHECK_FALSE(cookies.verify("a", cookies.sign("a", "1", std::chrono::sys_seconds{-5s}), now).has_value());
}

TEST_CASE("signed cookies: any change of any byte, another name, another key") {
  const SignedCookies cookies({key_a});
  const std::string text = cookies.sign("a", "value", ends);
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char byte : {'A', '.', '0', '='}) {
      std::string changed = text;
      changed[at] = byte;
      CAPTURE(changed);
      if (changed != text) CHECK_FALSE(cookies.verify("a", changed, now).has_value());
    }
    CHECK_FALSE(cookies.verify("a", text.substr(0, at), now).has_value());
  }
  CHECK_FALSE(cookies.verify("a", text + "A", now).has_value());
  CHECK_FALSE(cookies.verify("b", text, now).has_value());
  CHECK_FALSE(SignedCookies({key_b}).verify("a", text, now).has_value());
}

TEST_CASE("signed cookies: keys rotate") {
  const std::string by_a = SignedCookies({key_a}).sign("a", "1", ends);
  const SignedCookies rotated({key_b, key_a});
  CHECK(rotated.verify("a", by_a, now) == "1");
  CHECK(rotated.sign("a", "1", ends) == SignedCookies({key_b}).sign("a", "1", ends));
}

TEST_CASE("signed cookies: without good keys nothing is signed or read") {
  const std::string text = SignedCookies({key_a}).sign("a", "1", ends);
  for (const SignedCookies& cookies :
       {SignedCookies({}), SignedCookies({""}), SignedCookies({std::string(31, 'k')}),
        SignedCookies({key_a, "short"})}) {
    CHECK(cookies.sign("a", "1", ends) == "");
    CHECK_FALSE(cookies.verify("a", text, now).has_value());
    Response response;
    cookies.set(response, "a", "1");
    CHECK(response.problem() != nullptr);
    CHECK(response.fields() == "");
  }
}

TEST_CASE_FIXTURE(test::AppFixture, "signed cookies: from a response to a request") {
  const SignedCookies cookies({key_a});
  app.get("/", [&](Request& request) { return cookies.get(request, "a").value_or("nobody"); });
  Response response;
  cookies.set(response, "a", "J\xc3\xb6rg", {.max_age = 1h, .secure = true});
  CHECK(response.fields().find("; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax\r\n") !=
        std::string_view::npos);
  const std::string value = value_in(response.fields());
  CHECK(ask("GET /", "Cookie: b=2; a=" + value + "\r\n\r\n").body == "J\xc3\xb6rg");
  CHECK(ask("GET /", "Cookie: b=" + value + "\r\n\r\n").body == "nobody");
  CHECK(ask("GET /", "Cookie: a=42\r\n\r\n").body == "nobody");
  CHECK(ask("GET /").body == "nobody");
  Response ended;
  cookies.set(ended, "a", "1", {.max_age = 0s});
  CHECK(ask("GET /", "Cookie: a=" + value_in(ended.fields()) + "\r\n\r\n").body == "nobody");
}
