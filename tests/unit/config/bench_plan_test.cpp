#include "engine/config/bench_plan.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "engine/config/bench_url.hpp"
#include "engine/config/command_line.hpp"

using namespace millrace;
using namespace millrace::config;

namespace {

/// A plan from words of a command line, as a person writes them.
struct Planned {
  explicit Planned(std::vector<const char*> words) {
    words.insert(words.begin(), {"millrace", "bench"});
    const CommandLine line = read_command_line(Program::engine, static_cast<int>(words.size()), words.data());
    fault = line.text.empty() ? make_plan(line.bench, plan).sentence : line.text;
  }
  bench::Plan plan;
  std::string fault;
};

/// A file that goes with the test.
struct File {
  explicit File(const std::string& text) : path("/tmp/millrace-bench-XXXXXX") {
    const int descriptor = ::mkstemp(path.data());
    REQUIRE(descriptor >= 0);
    ::close(descriptor);
    std::ofstream(path) << text;
  }
  ~File() { ::unlink(path.c_str()); }
  std::string path;
};

std::string fault_of(std::vector<const char*> words) { return Planned(std::move(words)).fault; }

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("bench: what a plain URL means") {
  const Planned planned({"http://127.0.0.1:8080/a?b=c#d"});
  CHECK(planned.fault == "");
  REQUIRE(planned.plan.requests.size() == 1);
  CHECK(planned.plan.requests[0].bytes == "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n");
  CHECK(planned.plan.connections == 10);
  CHECK(planned.plan.duration == 10 * ns_per_s);
  CHECK(planned.plan.endpoints.size() == 1);
  CHECK(planned.plan.expect.statuses[204]);
  CHECK(planned.plan.expect.statuses[302]);
  CHECK_FALSE(planned.plan.expect.statuses[404]);
}

TEST_CASE("bench: every flag arrives") {
  const Planned planned({"-c",
                         "7",
                         "-p",
                         "3",
                         "-t",
                         "2",
                         "-n",
                         "9",
                         "-r",
                         "100",
                         "-m",
                         "PUT",
                         "-b",
                         "hi",
                         "-H",
                         "A: b",
                         "-H",
                         "Host: x",
                         "--expect-status",
                         "201,4xx",
                         "--expect-length",
                         "4",
                         "--timeout",
                         "50ms",
                         "127.0.0.1:1"});
  CHECK(planned.fault == "");
  const bench::Plan& plan = planned.plan;
  CHECK(plan.connections == 7);
  CHECK(plan.pipeline == 3);
  CHECK(plan.threads == 2);
  CHECK(plan.count == 9);
  CHECK(plan.duration == 0);
  CHECK(plan.rate == 100);
  CHECK(plan.patience == 50 * ns_per_ms);
  CHECK(plan.expect.body_bytes == 4);
  CHECK(plan.expect.statuses.count() == 101);
  CHECK(plan.requests[0].bytes == "PUT / HTTP/1.1\r\nA: b\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
  CHECK(Planned({"127.0.0.1", "--no-keepalive", "-b", ""}).plan.requests[0].bytes ==
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("bench: URLs") {
  BenchUrl url;
  CHECK(read_bench_url("http://[::1]:81", url) == "");
  CHECK(url.host == "::1");
  CHECK(url.port == 81);
  CHECK(url.target == "/");
  CHECK(read_bench_url("HTTP://a.example?x", url) == "");
  CHECK(url.target == "/?x");
  CHECK(url.port == 80);
  CHECK(read_bench_url("unix:/run/a.sock:/b?c", url) == "");
  CHECK(url.socket_path == "/run/a.sock");
  CHECK(url.target == "/b?c");
  CHECK(read_bench_url("https://a/", url) == "");
  CHECK((url.tls && !url.websocket && url.port == 443));
  CHECK(read_bench_url("ws://a/b", url) == "");
  CHECK((!url.tls && url.websocket && url.port == 80));
  CHECK(read_bench_url("WSS://a:1/b", url) == "");
  CHECK((url.tls && url.websocket && url.port == 1));
  CHECK(has(read_bench_url("ftp://a/", url), "wss:// and unix:"));
  CHECK(has(read_bench_url("http:///x", url), "no valid host"));
  CHECK(has(read_bench_url("http://a:0/", url), "1 to 65535"));
  CHECK(has(read_bench_url("http://a/ b", url), "percent-encoded"));
  CHECK(has(read_bench_url("http://u@a/", url), "no valid host"));
  CHECK(has(read_bench_url("unix:", url), "no path"));
  CHECK(has(read_bench_url("unix:/" + std::string(200, 'x'), url), "longer than"));
}

TEST_CASE("bench: TLS and WebSockets") {
  const Planned https({"https://127.0.0.1/", "--cacert", "ca.pem"});
  CHECK(https.fault == "");
  REQUIRE(https.plan.tls.has_value());
  CHECK(https.plan.tls->host == "127.0.0.1");
  CHECK(https.plan.tls->ca_file == "ca.pem");
  CHECK(https.plan.tls->verify);
  CHECK_FALSE(https.plan.websocket.has_value());

  const Planned wss({"wss://127.0.0.1/ws", "-k", "--message-bytes", "1000", "-H", "Origin: https://a"});
  CHECK(wss.fault == "");
  CHECK_FALSE(wss.plan.tls->verify);
  REQUIRE(wss.plan.websocket.has_value());
  CHECK(wss.plan.websocket->request.starts_with(
      "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://a\r\nUpgrade: websocket\r\n"));
  CHECK(wss.plan.websocket->accept.size() == 28);
  REQUIRE(wss.plan.requests.size() > 1);
  CHECK(wss.plan.requests[0].echo.size() == 1000);
  CHECK(wss.plan.requests[0].echo != wss.plan.requests[1].echo);
  CHECK(wss.plan.requests[0].bytes.size() == 1000 + 2 + 2 + 4);
  CHECK(Planned({"ws://127.0.0.1/"}).plan.requests[0].echo.size() == 64);
}

TEST_CASE("bench: files of URLs and bodies") {
  const File urls("# comment\n/a\n\nhttp://127.0.0.1/b?c\r\n127.0.0.1/d\n");
  const File body("from a file");
  const std::string at_body = "@" + body.path;
  const Planned planned(
      {"127.0.0.1", "--urls", urls.path.c_str(), "-b", at_body.c_str(), "--expect-body", body.path.c_str()});
  CHECK(planned.fault == "");
  REQUIRE(planned.plan.requests.size() == 3);
  CHECK(planned.plan.requests[1].target == "/b?c");
  CHECK(planned.plan.requests[2].bytes.ends_with("\r\n\r\nfrom a file"));
  CHECK(planned.plan.expect.body == "from a file");

  const File elsewhere("/a\nhttp://127.0.0.2/\n");
  CHECK(has(fault_of({"127.0.0.1", "--urls", elsewhere.path.c_str()}),
            ":2: `http://127.0.0.2/` is on another server"));
  const File empty("# nothing\n");
  CHECK(has(fault_of({"127.0.0.1", "--urls", empty.path.c_str()}), "holds no URL"));
  CHECK(has(fault_of({"127.0.0.1", "--urls", "/nowhere/at/all"}), "cannot read /nowhere/at/all"));
  CHECK(has(fault_of({"127.0.0.1", "-b", "@/nowhere"}), "cannot read /nowhere"));
}

TEST_CASE("bench: what would need too much memory is refused") {
  const File large("");
  const std::string at_large = "@" + large.path;
  REQUIRE(::truncate(large.path.c_str(), (64 << 20) + 1) == 0);
  CHECK(has(fault_of({"127.0.0.1", "-b", at_large.c_str()}), " is larger than 64m"));
  REQUIRE(::truncate(large.path.c_str(), 1 << 20) == 0);
  CHECK(fault_of({"127.0.0.1", "-b", at_large.c_str(), "-p", "100"}).empty());
  CHECK(has(fault_of({"127.0.0.1", "-b", at_large.c_str(), "-p", "300"}), "of memory, more than 256m"));
  std::string lines;
  for (int i = 0; i < 100'000; ++i) lines += "/\n";
  CHECK(fault_of({"127.0.0.1", "--urls", File(lines).path.c_str()}).empty());
  CHECK(has(fault_of({"127.0.0.1", "--urls", File(lines + "/\n").path.c_str()}), "more than 100000 URLs"));
}

TEST_CASE("bench: what is wrong is told in a sentence") {
  struct Case {
    std::vector<const char*> words;
    std::string_view wants;
  };
  const Case cases[] = {
      {{}, "no URL"},
      {{"a", "b"}, "one URL"},
      {{"a", "--conections", "1"}, "the nearest is `--connections`"},
      {{"a", "-c", "0"}, "--connections `0`"},
      {{"a", "-c", "2", "-t", "3"}, "--threads 3 is more than the 2 connections"},
      {{"a", "-p", "1025"}, "from 1 to 1024"},
      {{"a", "-d", "10"}, "with its unit"},
      {{"a", "-d", "0s"}, "with its unit"},
      {{"a", "-r", "fast"}, "--rate `fast`"},
      {{"a", "-m", "G T"}, "--method"},
      {{"a", "-m", "CONNECT"}, "tunnel"},
      {{"a", "-H", "novalue"}, "`Name: value`"},
      {{"a", "-H", "A: b\r\nC: d"}, "`Name: value`"},
      {{"a", "-H", "content-length: 3"}, "itself"},
      {{"a", "--expect-status", "20"}, "--expect-status `20`"},
      {{"a", "--expect-status", "2x0"}, "--expect-status `2x0`"},
      {{"a", "--expect-length", "-1"}, "--expect-length"},
      {{"a", "--no-keepalive", "-p", "2"}, "exclude"},
      {{"a", "-k"}, "https:// and wss://"},
      {{"https://a", "-k", "--cacert", "x"}, "exclude each other"},
      {{"a", "--message-bytes", "3"}, "ws:// and wss://"},
      {{"ws://a", "--message-bytes", "0"}, "--message-bytes `0`"},
      {{"ws://a", "-b", "x"}, "--body is for HTTP"},
      {{"ws://a", "--no-keepalive"}, "--no-keepalive is for HTTP"},
      {{"host.invalid"}, "has no address"},
  };
  for (const Case& c : cases) {
    const std::string fault = fault_of(c.words);
    CAPTURE(fault);
    CHECK(has(fault, c.wants));
  }
}
