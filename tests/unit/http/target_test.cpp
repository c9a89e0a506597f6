// Goal: targets split and decoded as RFC 9112 section 3.2 and RFC 3986 say, and what is refused.
#include "engine/http/target.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "engine/http/head_parser.hpp"
#include "tests/unit/http/support.hpp"

using namespace millrace::http;
using millrace::Errc;
using millrace::Error;

namespace {

struct Split {
  explicit Split(std::string_view request_line) : padded(std::string(request_line) + " HTTP/1.1\r\n\r\n") {
    REQUIRE_FALSE(parse_head_strict(padded.data(), padded.size(), HeadLimits{}, store.head).failed());
    error = read_target(store.head, padded.data(), target);
  }
  test::Padded padded;
  test::HeadStore store;
  Target target;
  Error error;
};

/// The slow reference: one escape at a time, into a new string.
std::optional<std::string> decode_slowly(const std::string& text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const std::string digits = text.substr(i + 1, 2);
      if (digits.size() != 2 || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
        return std::nullopt;
      }
      out += static_cast<char>(std::stoi(digits, nullptr, 16));
      i += 2;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("read_target: forms") {
  const Split root("GET /");
  CHECK(root.target.form == TargetForm::origin);
  CHECK(root.target.path == "/");
  CHECK(root.target.query == "");

  const Split origin("GET /a/b?c=%20&d?e");
  CHECK(origin.target.path == "/a/b");
  CHECK(origin.target.query == "c=%20&d?e");
  CHECK(origin.target.authority == "");

  const Split absolute("GET http://b:80/x%20y?q");
  CHECK(absolute.target.form == TargetForm::absolute);
  CHECK(absolute.target.authority == "b:80");
  CHECK(absolute.target.path == "/x y");
  CHECK(absolute.target.query == "q");

  CHECK(Split("GET http://b").target.path == "/");
  const Split query_only("GET https://b?q");
  CHECK(query_only.target.path == "/");
  CHECK(query_only.target.query == "q");
  CHECK(query_only.target.authority == "b");

  const Split asterisk("OPTIONS *");
  CHECK(asterisk.target.form == TargetForm::asterisk);
  CHECK(asterisk.target.path == "*");

  const Split authority("CONNECT [::1]:443");
  CHECK(authority.target.form == TargetForm::authority);
  CHECK(authority.target.authority == "[::1]:443");
  CHECK_FALSE(authority.error.failed());
}

TEST_CASE("read_target: escapes of the path are decoded in place, the query is left raw") {
  CHECK(Split("GET /%41%6a%7E").target.path == "/Aj~");
  CHECK(Split("GET /a%3Fb?c").target.path == "/a?b");
  CHECK(Split("GET /+").target.path == "/+");
  CHECK(Split("GET /%c3%a9").target.path == "/\xc3\xa9");
  CHECK(Split("GET /?%zz").target.query == "%zz");
  CHECK(Split("GET /%2541").target.path == "/%41");  // Once only.
  for (const std::string_view bad :
       {"GET /%zz", "GET /%", "GET /%4", "GET /a%00b", "GET /%4?1", "GET /%%41"}) {
    CAPTURE(bad);
    CHECK(Split(bad).error == Error{Errc::bad_percent_encoding, 400});
  }
}

TEST_CASE("read_target: an encoded slash is data") {
  const Split split("GET /a%2fb/c%2F");
  CHECK(split.target.path == "/a/b/c/");
  CHECK(split.target.encoded_slash_count == 2);
  CHECK(split.target.is_separator(0));
  CHECK_FALSE(split.target.is_separator(1));
  CHECK_FALSE(split.target.is_separator(2));
  CHECK(split.target.is_separator(4));
  CHECK_FALSE(split.target.is_separator(6));
  CHECK_FALSE(Split("GET /%2f%2f%2f%2f%2f%2f%2f%2f").error.failed());
  CHECK(Split("GET /%2f%2f%2f%2f%2f%2f%2f%2f%2f").error == Error{Errc::bad_target, 400});
}

TEST_CASE("read_target: authorities that are refused") {
  for (const std::string_view bad :
       {"GET http://u:p@a/", "GET http:///", "GET http://:80/", "GET http://[::1/", "GET http://a:x/",
        "GET http://a%zz/", "GET http://a,b/", "CONNECT a", "CONNECT a:", "CONNECT :80", "CONNECT u@a:80",
        "CONNECT a:99999", "CONNECT [::1]"}) {
    CAPTURE(bad);
    CHECK(Split(bad).error == Error{Errc::bad_target, 400});
  }
}

TEST_CASE("percent_decode: as the slow reference, for random text") {
  test::Random random(11);
  constexpr std::string_view alphabet = "%%%+0123456789abcdefABCDEFgz/ ";
  for (unsigned round = 0; round < 20'000; ++round) {
    std::string text(random.below(24), ' ');
    for (char& byte : text) byte = alphabet[random.below(alphabet.size())];
    const bool plus_is_space = random.below(2) == 0;
    std::string decoded = text;
    const std::size_t size = percent_decode(decoded.data(), decoded.size(), plus_is_space);
    const auto want = decode_slowly(text, plus_is_space);
    CAPTURE(text);
    REQUIRE((size == std::string::npos) == !want.has_value());
    if (want) CHECK(decoded.substr(0, size) == *want);
  }
}
