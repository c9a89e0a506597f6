#include <doctest/doctest.h>
#include <millrace/redirect.hpp>

#include <string>

using namespace millrace;

TEST_CASE("redirect: location and status") {
  CHECK(redirect("/new").status() == 303);
  CHECK(redirect("/new").fields() == "Location: /new\r\n");
  CHECK(redirect("/new").body() == "");
  for (unsigned status : {301u, 302u, 303u, 307u, 308u}) {
    CHECK(redirect("/new", status).status() == status);
    CHECK(redirect("/new", status).problem() == nullptr);
  }
  for (unsigned status : {200u, 300u, 304u, 305u, 404u}) CHECK(redirect("/new", status).problem() != nullptr);
  CHECK(redirect("").problem() != nullptr);
}

TEST_CASE("redirect: what no URL has is encoded, what would break the field is refused") {
  CHECK(redirect("https://user@[::1]:8080/a?b=%20&c=;d#e").fields() ==
        "Location: https://user@[::1]:8080/a?b=%20&c=;d#e\r\n");
  CHECK(redirect("/a b\t\"<\xc3\xa9>\\^").fields() == "Location: /a%20b%09%22%3C%C3%A9%3E%5C%5E\r\n");
  for (std::string_view bad : {std::string_view("/a\r\nX: y"), std::string_view("/a\n"),
                               std::string_view("/\0", 2), std::string_view("/\x7f")}) {
    CHECK(redirect(bad).problem() != nullptr);
    CHECK(redirect(bad).fields() == "");
  }
}

TEST_CASE("redirect: paths within this site") {
  for (std::string_view good : {"/", "/a", "/a//b", "/?next=//x", "/%2f"}) CHECK(is_local_path(good));
  for (std::string_view bad : {"", "a", "//evil.example", "/\\evil.example", "https://evil.example", "\\a",
                               " /a", "/\t/evil.example", "/\n/evil.example", "/\r"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_local_path(bad));
  }
}
