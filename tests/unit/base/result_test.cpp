#include "engine/base/result.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "tests/unit/base/death.hpp"

using millrace::Errc;
using millrace::Error;
using millrace::Result;

TEST_CASE("Error: the default is no failure, and every field counts for equality") {
  CHECK(!Error{}.failed());
  CHECK(Error{Errc::timeout}.failed());
  CHECK(Error{Errc::bad_chunk, 400} == Error{Errc::bad_chunk, 400});
  CHECK(Error{Errc::bad_chunk, 400} != Error{Errc::bad_chunk, 413});
  CHECK(Error{Errc::system, 0, 1} != Error{Errc::system, 0, 2});
  CHECK(Error{Errc::timeout} != Error{Errc::peer_reset});
}

TEST_CASE("Result: holds the value or the Error") {
  Result<int> good = 7;
  CHECK(good.ok());
  CHECK(static_cast<bool>(good));
  CHECK(good.value() == 7);
  CHECK(good.error() == Error{});
  *good = 8;
  CHECK(good.value() == 8);

  const Result<int> bad = Error{Errc::body_too_large, 413};
  CHECK(!bad.ok());
  CHECK(!static_cast<bool>(bad));
  CHECK(bad.error() == Error{Errc::body_too_large, 413});
}

TEST_CASE("Result: a value that only moves comes out again") {
  Result<std::unique_ptr<int>> held = std::make_unique<int>(3);
  CHECK(**held == 3);
  const std::unique_ptr<int> out = std::move(held).value();
  CHECK(*out == 3);

  Result<std::string> text = std::string("abc");
  CHECK(text->size() == 3);
}

TEST_CASE("Result: of a type that Error itself could be") {
  const Result<Errc> held = Errc::need_more;
  CHECK(held.ok());
  CHECK(held.value() == Errc::need_more);
}

TEST_CASE("Result: asking for what it does not hold, or an Error of no failure, aborts") {
  CHECK(dies([] {
    Result<int> bad = Error{Errc::timeout};
    static_cast<void>(bad.value());
  }));
  CHECK(dies([] { static_cast<void>(Result<int>(Error{})); }));
  CHECK(!dies([] {
    Result<int> good = 1;
    static_cast<void>(good.value());
  }));
}

TEST_CASE("name_of: every Errc has a name of its own, in lower case") {
  std::set<std::string_view> names;
  const auto last = static_cast<std::uint16_t>(Errc::bad_configuration);
  for (std::uint16_t code = 0; code <= last; ++code) {
    const std::string_view name = millrace::name_of(static_cast<Errc>(code));
    CAPTURE(name);
    CHECK(!name.empty());
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
    CHECK(names.insert(name).second);
  }
  CHECK(millrace::name_of(Errc::bad_chunk) == std::string_view("bad_chunk"));
  CHECK(dies([] { millrace::name_of(static_cast<Errc>(0xffff)); }));
}
