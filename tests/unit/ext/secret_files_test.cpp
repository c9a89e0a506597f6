// Goal: a file of names or tokens that is read again counts at once on every thread, and a bad one changes nothing.
#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "engine/ext/guard/secret_files.hpp"

using millrace::guard::SecretFile;

namespace {

// bcrypt's cheapest kind, of "open sesame" and of "another".
constexpr const char* open_sesame = "$2y$04$FJPbWp0/E.TD6FoeifoHy.vxAf7cF2lwBkrzPBBeTw.nIUxJ8vFH.";
constexpr const char* another = "$2y$04$4.Qu9D2z.T0oElbcobRP2Ojb4vUc8ckFhxghT/X43Oh3vXqck4DJC";

struct File {
  std::string path = "/tmp/millrace-secrets-" + std::to_string(::getpid());
  explicit File(const std::string& text) { write(text); }
  ~File() { std::remove(path.c_str()); }
  void write(const std::string& text) const { std::ofstream(path) << text; }
};

}  // namespace

TEST_CASE("a file of passwords that is read again: who was proven before is judged by the new one") {
  const File file(std::string("ada:") + open_sesame + "\nbob:" + another + "\n");
  SecretFile users(SecretFile::Kind::users, file.path);
  REQUIRE(users.read().empty());
  CHECK(users.right_password("ada", "open sesame"));
  CHECK(users.right_password("bob", "another"));
  file.write(std::string("ada:") + another + "\n");
  CHECK(users.right_password("ada", "open sesame"));  // Not read yet.
  REQUIRE(users.read().empty());
  CHECK(!users.right_password("ada", "open sesame"));
  CHECK(users.right_password("ada", "another"));
  CHECK(!users.right_password("bob", "another"));
  file.write("ada:open\n");
  CHECK(users.read().starts_with(file.path + ":1: the hash of ada is of no strong kind"));
  CHECK(users.right_password("ada", "another"));
  std::remove(file.path.c_str());
  CHECK(users.read() == file.path + ": cannot be read (No such file or directory)");
  CHECK(users.right_password("ada", "another"));
}

TEST_CASE("a file of tokens that is read again while threads ask") {
  const File file("stays\nfirst\n");
  SecretFile tokens(SecretFile::Kind::tokens, file.path);
  REQUIRE(tokens.read().empty());
  std::atomic<bool> stop{false};
  std::array<std::atomic<std::size_t>, 2> asked{};
  std::atomic<std::size_t> wrong{0};
  const auto ask = [&](std::size_t index) {
    while (!stop.load()) {
      if (!tokens.right_token("stays") || tokens.right_token("nobody's")) ++wrong;
      ++asked[index];
    }
  };
  std::thread one(ask, 0);
  std::thread other(ask, 1);
  for (int round = 0; round < 200 || asked[0] < 100 || asked[1] < 100; ++round) {
    file.write(round % 2 == 0 ? "second\nstays\n" : "stays\nfirst\n");
    CHECK(tokens.read().empty());
    CHECK(tokens.right_token("second") == (round % 2 == 0));
    CHECK(tokens.right_token("first") == (round % 2 == 1));
  }
  stop = true;
  one.join();
  other.join();
  CHECK(wrong == 0);
}

TEST_CASE("two files: what one proved is not the other's") {
  const File file(std::string("ada:") + open_sesame + "\n");
  SecretFile first(SecretFile::Kind::users, file.path);
  REQUIRE(first.read().empty());
  CHECK(first.right_password("ada", "open sesame"));
  file.write(std::string("ada:") + another + "\n");
  SecretFile second(SecretFile::Kind::users, file.path);
  REQUIRE(second.read().empty());
  CHECK(!second.right_password("ada", "open sesame"));
  CHECK(first.right_password("ada", "open sesame"));
}

TEST_CASE("a file of tokens: one a line, without spaces") {
  const File file("# whose\nabc\n");
  SecretFile tokens(SecretFile::Kind::tokens, file.path);
  REQUIRE(tokens.read().empty());
  CHECK(tokens.right_token("abc"));
  CHECK_FALSE(tokens.right_token("abcd"));
  CHECK_FALSE(tokens.right_token("# whose"));
  file.write("abc\nd e\n");
  CHECK(tokens.read() == file.path + ":2: a token has no spaces");
}
