// Goal: lines of an access log, and what becomes of them when many write, the file moves, or the disk is full.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <millrace/millrace.hpp>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "engine/ext/log/line.hpp"
#include "engine/ext/log/line_ring.hpp"
#include "engine/ext/log/writer.hpp"
#include "tests/unit/ext/support.hpp"
#include "tests/unit/serve/app_fixture.hpp"

using namespace millrace;
using namespace std::chrono_literals;
using files::test::TemporaryDirectory;

namespace {

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

template <class Condition>
bool eventually(Condition&& condition) {
  for (const auto end = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < end;
       std::this_thread::sleep_for(2ms)) {
    if (condition()) return true;
  }
  return condition();
}

template <class Write>
std::string line_of(Write&& write, const log::Facts& facts) {
  const auto out = std::make_unique<std::array<char, log::line_bytes_max>>();
  return {out->data(), write(facts, *out)};
}

constexpr log::Facts request{.remote = "192.0.2.7",
                             .method = "GET",
                             .target = "/a?b=c",
                             .host = "example.org",
                             .referer = "https://example.com/",
                             .agent = "curl/8",
                             .route = "/{x}",
                             .id = "17",
                             .status = 200,
                             .body_bytes = 12,
                             .elapsed_ns = 1'234'567,
                             .unix_ms = 951'827'696'007};  // 2000-02-29 12:34:56.007

}  // namespace

TEST_CASE("line: combined") {
  CHECK(line_of(log::write_combined, request) ==
        "192.0.2.7 - - [29/Feb/2000:12:34:56 +0000] \"GET /a?b=c HTTP/1.1\" 200 12 \"https://example.com/\" "
        "\"curl/8\"\n");
  CHECK(line_of(log::write_combined, {.status = 400}) ==
        "- - - [01/Jan/1970:00:00:00 +0000] \"-\" 400 0 \"-\" \"-\"\n");
}

TEST_CASE("line: JSON") {
  CHECK(
      line_of(log::write_json, request) ==
      R"({"time":"2000-02-29T12:34:56.007Z","status":200,"bytes":12,"duration_us":1234,"remote":"192.0.2.7",)"
      R"("method":"GET","target":"/a?b=c","host":"example.org","referer":"https://example.com/",)"
      R"("agent":"curl/8","route":"/{x}","id":"17"})"
      "\n");
  CHECK(line_of(log::write_json, {.status = 408}) ==
        R"({"time":"1970-01-01T00:00:00.000Z","status":408,"bytes":0,"duration_us":0})"
        "\n");
}

TEST_CASE("line: nothing a client sends breaks a line, its quotes or its length") {
  log::Facts evil = request;
  evil.target = "/\n\"\\\x7f\xc3\xa4";
  evil.agent = "a\x1b[31m";
  const std::string combined = line_of(log::write_combined, evil);
  CHECK(combined.find("\"GET /\\x0a\\x22\\x5c\\x7f\\xc3\\xa4 HTTP/1.1\"") != std::string::npos);
  CHECK(combined.find("\"a\\x1b[31m\"\n") != std::string::npos);
  const std::string json = line_of(log::write_json, evil);
  CHECK(json.find(R"("target":"/\u000a\u0022\u005c\u007f\u00c3\u00a4")") != std::string::npos);
  const std::string longest(60'000, '\x01');
  const log::Facts huge{.remote = longest,
                        .user = longest,
                        .method = longest,
                        .target = longest,
                        .host = longest,
                        .referer = longest,
                        .agent = longest,
                        .route = "/",
                        .id = "1"};
  log::Facts told = huge;
  told.remote = "192.0.2.7";
  CHECK(line_of(log::write_combined, told).size() < log::line_bytes_max);
  CHECK(line_of(log::write_json, told).size() < log::line_bytes_max);
}

TEST_CASE("ring: whole lines in order, and none where there is no room") {
  log::LineRing ring(16);
  bool half = false;
  CHECK(ring.readable().empty());
  CHECK(ring.push("0123456\n", half));
  CHECK(half);
  CHECK(ring.push("abcdef\n", half));
  CHECK_FALSE(half);
  CHECK_FALSE(ring.push("x\n", half));
  CHECK(ring.push("\n", half));
  CHECK(ring.dropped() == 1);
  CHECK(std::string(ring.readable().data(), ring.readable().size()) == "0123456\nabcdef\n\n");
  ring.consume(10);
  CHECK(ring.push("ABCDEFGH\n", half));  // Across the end.
  std::string got;
  while (!ring.readable().empty()) {
    got.append(ring.readable().data(), ring.readable().size());
    ring.consume(ring.readable().size());
  }
  CHECK(got == "cdef\n\nABCDEFGH\n");
}

TEST_CASE("writer: every line of every thread, whole, once") {
  const TemporaryDirectory directory;
  const std::string path = directory / "log";
  constexpr int threads = 4;
  constexpr int lines = 5'000;
  {
    log::Writer writer(path, 1 << 20);
    REQUIRE(writer.open() == "");
    REQUIRE(writer.open() == "");  // As a second server does.
    std::vector<std::thread> writing;
    for (int thread = 0; thread < threads; ++thread) {
      writing.emplace_back([&writer, thread] {
        for (int i = 0; i < lines; ++i) writer.write(std::to_string(thread) + " " + std::to_string(i) + "\n");
      });
    }
    for (std::thread& one : writing) one.join();
    CHECK(writer.dropped() == 0);
  }
  std::vector<int> next(threads, 0);
  std::istringstream text(read(path));
  int thread = 0;
  int number = 0;
  while (text >> thread >> number) {
    REQUIRE(number == next[static_cast<std::size_t>(thread)]);
    ++next[static_cast<std::size_t>(thread)];
  }
  CHECK(next == std::vector<int>(threads, lines));
}

TEST_CASE("writer: what is dropped is counted") {
  const TemporaryDirectory directory;
  log::Writer writer(directory / "log", 64);
  const std::string line(40, 'x');
  writer.write(line + "\n");  // Not open yet: the ring keeps it.
  writer.write(line + "\n");
  CHECK(writer.dropped() == 1);
  REQUIRE(writer.open() == "");
  CHECK(eventually([&] { return read(directory / "log") == line + "\n"; }));
}

TEST_CASE("writer: a file that was moved away is begun anew") {
  const TemporaryDirectory directory;
  const std::string path = directory / "log";
  log::Writer writer(path, 4096);
  REQUIRE(writer.open() == "");
  writer.write("one\n");
  CHECK(eventually([&] { return read(path) == "one\n"; }));
  std::filesystem::rename(path, directory / "old");
  writer.write("two\n");
  writer.reopen();
  CHECK(eventually([&] { return std::filesystem::exists(path); }));
  writer.write("three\n");
  CHECK(eventually([&] { return read(path) == "three\n"; }));
  CHECK(read(directory / "old") == "one\ntwo\n");
}

TEST_CASE("writer: a name that cannot be opened again goes on in the old file") {
  const TemporaryDirectory directory;
  const std::string path = directory / "log";
  log::Writer writer(path, 4096);
  REQUIRE(writer.open() == "");
  std::filesystem::rename(path, directory / "old");
  std::filesystem::create_directory(path);
  test::StderrCapture captured;
  writer.reopen();
  writer.write("on\n");
  CHECK(eventually([&] { return read(directory / "old") == "on\n"; }));
  CHECK(captured.text().find("cannot be opened again (Is a directory)") != std::string::npos);
}

TEST_CASE("writer: a full disk drops lines, and says so once") {
  test::StderrCapture captured;
  {
    log::Writer writer("/dev/full", 4096);
    REQUIRE(writer.open() == "");
    writer.write("one\ntwo\n");
    CHECK(eventually([&] { return writer.dropped() == 2; }));
    writer.write("three\n");
    CHECK(eventually([&] { return writer.dropped() == 3; }));
  }
  CHECK(
      captured.text() ==
      "millrace: the access log /dev/full cannot be written (No space left on device): its lines are dropped "
      "until it can\n");
}

TEST_CASE(
    "writer: a disk that has room again gets whole lines again, and the number of those that are missing") {
  const TemporaryDirectory directory;
  const std::string path = directory / "log";
  constexpr rlim_t bytes_max = 8192;
  constexpr std::size_t before = bytes_max - 8;
  directory.write("log", std::string(before, '\n'));
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit) == 0);
  const rlimit small{.rlim_cur = bytes_max, .rlim_max = limit.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  test::StderrCapture captured;
  {
    log::Writer writer(path, 4096);
    REQUIRE(writer.open() == "");
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    writer.write("0123456789\n");  // Eight bytes of it fit.
    CHECK(eventually([&] { return writer.dropped() == 1; }));
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
    writer.write("next\n");
    CHECK(eventually([&] { return read(path).size() >= before + 14; }));
  }
  std::signal(SIGXFSZ, handler);
  CHECK(read(path).substr(before) == "01234567\nnext\n");
  CHECK(captured.text() == "millrace: the access log " + path +
                               " cannot be written (File too large): its lines are dropped until it can\n"
                               "millrace: the access log " +
                               path + " is written again; 1 lines were dropped\n");
}

TEST_CASE("writer: a file that cannot be opened is a sentence") {
  log::Writer writer("/nowhere/log", 4096);
  CHECK(writer.open() ==
        "the access log /nowhere/log cannot be opened (No such file or directory): create its directory, and "
        "let "
        "this user write there");
}

TEST_CASE_FIXTURE(test::AppFixture, "access log: a line a request, whoever answered it") {
  const TemporaryDirectory directory;
  const std::string path = directory / "log";
  const AccessLog access = access_log({.path = path, .format = LogFormat::json});
  REQUIRE(access.output()->open() == "");
  app.use(access);
  app.get("/items/{id}", [](std::string_view id) { return id; });
  ask("GET /items/42?q=1", "User-Agent: test\r\nX-Request-Id: r1\r\nAuthorization: Basic YWRhOng=\r\n\r\n");
  ask("POST /items/42");
  test::RequestText refused("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  refused.exchange.target = {};  // As when the head itself was refused.
  refused.exchange.head.base = nullptr;
  dispatch().refuse(refused.exchange, {Errc::bad_field_name, 400});
  CHECK(eventually([&] { return read(path).find("\"status\":400") != std::string::npos; }));
  const std::string text = read(path);
  CHECK(text.find(R"("status":200,"bytes":2)") != std::string::npos);
  CHECK(
      text.find(
          R"("user":"ada","method":"GET","target":"/items/42?q=1","host":"a","agent":"test","route":"/items/{id}","id":"r1"})") !=
      std::string::npos);
  CHECK(text.find(R"("status":405)") != std::string::npos);
}
