// Goal: what a route of files answers. Method: a real directory, and the handler called as the
// dispatcher calls it; targets go through the engine's own decoding.
#include "engine/ext/files/files.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/ext/files/cache.hpp"
#include "engine/ext/files/source.hpp"
#include "engine/mem/allocate.hpp"
#include "tests/unit/ext/support.hpp"

using namespace millrace::files;
using namespace millrace::files::test;
using millrace::FilesOptions;
using millrace::http::Method;

namespace {

std::string pattern_of_bytes(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t at = 0; at < size; ++at) text[at] = static_cast<char>('a' + at % 23);
  return text;
}

}  // namespace

TEST_CASE("files: a file, its type, its length and its validators") {
  const TemporaryDirectory directory;
  directory.write("a.txt", "hello");
  directory.write("deep/er/b.PNG", "png");
  directory.write("empty.css", "");
  directory.write("with space", "s");
  directory.write(".well-known/security.txt", "mail");
  Site site("/static/*", directory.path());
  const Answer answer = site.get("/static/a.txt?v=1");
  CHECK(answer.status == 200);
  CHECK(answer.type == "text/plain; charset=utf-8");
  CHECK(answer.body == "hello");
  CHECK(!answer.by_source);
  CHECK(answer.field("ETag").size() > 8);
  CHECK(answer.field("Last-Modified").ends_with(" GMT"));
  CHECK(answer.field("Accept-Ranges") == "bytes");
  CHECK(site.get("/static/deep/er/b.PNG").type == "image/png");
  CHECK(site.get("/static/empty.css").status == 200);
  CHECK(site.get("/static/empty.css").length == 0);
  CHECK(site.get("/static/with%20space").body == "s");
  CHECK(site.get("/static/with%20space").type == "application/octet-stream");
  CHECK(site.get("/static/.well-known/security.txt").body == "mail");
}

TEST_CASE("files: HEAD answers the length and reads nothing") {
  const TemporaryDirectory directory;
  directory.write("a.txt", "hello");
  Site site("/*", directory.path());
  const Answer answer = site.ask(Method::head, "/a.txt", {{"Range", "bytes=0-1"}});
  CHECK(answer.status == 200);
  CHECK(answer.length == 5);
  CHECK(answer.body.empty());
  CHECK(sources_live() == 0);
}

TEST_CASE("files: directories") {
  const TemporaryDirectory directory;
  directory.write("index.html", "root");
  directory.write("d e/index.html", "inner");
  directory.write("bare/file", "x");
  Site root("/*", directory.path());
  CHECK(root.get("/").body == "root");
  CHECK(root.get("/").type == "text/html; charset=utf-8");
  CHECK(root.get("/d%20e/").body == "inner");
  CHECK(root.get("/bare/").status == 404);
  const Answer moved = root.get("/d%20e?q=%20x");
  CHECK(moved.status == 301);
  CHECK(moved.field("Location") == "/d%20e/?q=%20x");
  CHECK(root.get("/index.html/").status == 404);

  Site below("/static/*", directory.path());
  CHECK(below.get("/static").status == 301);
  CHECK(below.get("/static").field("Location") == "/static/");
  CHECK(below.get("/static/").body == "root");
}

TEST_CASE("files: what is never served") {
  const TemporaryDirectory outside;
  outside.write("secret", "secret");
  const TemporaryDirectory directory;
  directory.write("a/b", "b");
  directory.write("sub/file", "x");
  directory.write(".hidden", "x");
  directory.write(".git/config", "x");
  std::filesystem::create_symlink(outside / "secret", directory / "absolute");
  std::filesystem::create_symlink("../" + outside.path().substr(5) + "/secret", directory / "relative");
  std::filesystem::create_symlink(outside.path(), directory / "out");
  std::filesystem::create_symlink("/proc/self/exe", directory / "magic");
  std::filesystem::create_symlink("loop", directory / "loop");
  REQUIRE(mkfifo((directory / "fifo").c_str(), 0666) == 0);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  (directory / "socket").copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  Site site("/*", directory.path());
  const std::string huge = "/" + std::string(5000, 'x');
  for (const std::string& target : {std::string("/absent"),
                                    std::string("/../secret"),
                                    std::string("/%2e%2e/secret"),
                                    std::string("/a%2fb"),
                                    std::string("/sub/../sub/file"),
                                    std::string("/./sub/file"),
                                    std::string("//sub/file"),
                                    std::string("/sub//file"),
                                    std::string("/.hidden"),
                                    std::string("/.git/config"),
                                    std::string("/.git"),
                                    std::string("/absolute"),
                                    std::string("/relative"),
                                    std::string("/out/secret"),
                                    std::string("/magic"),
                                    std::string("/loop"),
                                    std::string("/fifo"),
                                    std::string("/socket"),
                                    std::string("/sub/file/x"),
                                    huge}) {
    CAPTURE(target);
    CHECK(site.get(target).status == 404);
  }
  close(listener);
}

TEST_CASE("files: a symbolic link inside is followed") {
  const TemporaryDirectory directory;
  directory.write("real/file.txt", "x");
  std::filesystem::create_symlink("real", directory / "alias");
  std::filesystem::create_symlink("../real/file.txt", directory / "real/again.txt");
  Site site("/*", directory.path());
  CHECK(site.get("/alias/file.txt").body == "x");
  CHECK(site.get("/real/again.txt").body == "x");
}

TEST_CASE("files: conditions") {
  const TemporaryDirectory directory;
  directory.write("a.txt", "hello");
  Site site("/*", directory.path());
  const Answer first = site.get("/a.txt");
  const std::string etag = first.field("ETag");
  const std::string date = first.field("Last-Modified");
  const std::string weak = "\"x\", W/" + etag;
  struct Case {
    std::string_view name, value;
    unsigned want;
  };
  const Case cases[] = {
      {"If-None-Match", etag, 304},
      {"if-none-match", weak, 304},
      {"If-None-Match", "*", 304},
      {"If-None-Match", "\"other\"", 200},
      {"If-Modified-Since", date, 304},
      {"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT", 200},
      {"If-Modified-Since", "yesterday", 200},
      {"If-Modified-Since", "Sun, 06 Nov 2094 08:49:37 GMT", 200},
      {"If-Match", "\"other\"", 412},
      {"If-Match", etag, 200},
      {"If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT", 412},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CAPTURE(c.value);
    const Answer answer = site.get("/a.txt", {{c.name, c.value}});
    CHECK(answer.status == c.want);
    if (c.want == 304) {
      CHECK(answer.field("ETag") == etag);
      CHECK(answer.body.empty());
    }
  }
  directory.write("a.txt", "longer now");
  ++Site::now;
  CHECK(site.get("/a.txt", {{"If-None-Match", etag}}).status == 200);
}

TEST_CASE("files: ranges, of small files and of large ones") {
  const TemporaryDirectory directory;
  for (const std::size_t size :
       {std::size_t{1000}, memory_file_bytes_max, memory_file_bytes_max + 1, std::size_t{300'000}}) {
    CAPTURE(size);
    const std::string text = pattern_of_bytes(size);
    directory.write("f.bin", text);
    Site site("/*", directory.path());
    const std::string all = std::to_string(size);
    const Answer whole = site.get("/f.bin");
    CHECK(whole.body == text);
    CHECK(whole.by_source == (size > memory_file_bytes_max));
    struct Case {
      std::string field, want_range, want_body;
    };
    const Case cases[] = {
        {"bytes=0-0", "0-0", text.substr(0, 1)},
        {"bytes=-1", all + "-", text.substr(size - 1)},
        {"bytes=5-", "5-", text.substr(5)},
        {"bytes=7-999999999", "7-", text.substr(7)},
        {"bytes=100-199", "100-199", text.substr(100, 100)},
    };
    for (const Case& c : cases) {
      CAPTURE(c.field);
      const Answer answer = site.get("/f.bin", {{"Range", c.field}});
      CHECK(answer.status == 206);
      CHECK(answer.body == c.want_body);
      CHECK(answer.length == c.want_body.size());
      const std::string range = answer.field("Content-Range");
      CHECK(range.starts_with("bytes "));
      CHECK(range.ends_with("/" + all));
    }
    const Answer past = site.get("/f.bin", {{"Range", "bytes=999999-"}});
    CHECK(past.status == 416);
    CHECK(past.field("Content-Range") == "bytes */" + all);
    for (const char* ignored : {"bytes=5-2", "items=0-1", "bytes=", "bytes=-", "bytes=0-1,1-4"}) {
      CAPTURE(ignored);
      CHECK(site.get("/f.bin", {{"Range", ignored}}).status == 200);
    }
    const std::string etag = whole.field("ETag");
    CHECK(site.get("/f.bin", {{"Range", "bytes=0-0"}, {"If-Range", etag}}).status == 206);
    CHECK(site.get("/f.bin", {{"Range", "bytes=0-0"}, {"If-Range", "\"old\""}}).status == 200);
  }
  CHECK(sources_live() == 0);
}

TEST_CASE("files: a file that shrinks under a reply cuts it") {
  static const TemporaryDirectory* under_way = nullptr;
  const TemporaryDirectory directory;
  under_way = &directory;
  directory.write("f.bin", pattern_of_bytes(200'000));
  Site site("/*", directory.path());
  site.sink.before_source = [] { REQUIRE(truncate((*under_way / "f.bin").c_str(), 100'000) == 0); };
  const Answer answer = site.get("/f.bin");
  CHECK(answer.status == 200);
  CHECK(answer.length == 200'000);
  CHECK(answer.cut);
  CHECK(answer.body.empty());  // What is left is the old file's, but nothing tells of which state it is.
  CHECK(sources_live() == 0);
}

TEST_CASE("files: a file that is rewritten in place under a reply cuts it, one that is replaced does not") {
  static const TemporaryDirectory* under_way = nullptr;
  const TemporaryDirectory directory;
  under_way = &directory;
  const std::string text = pattern_of_bytes(200'000);
  directory.write("f.bin", text);
  std::filesystem::last_write_time(directory / "f.bin", std::filesystem::file_time_type{});
  for (const FilesOptions& options : {FilesOptions{}, FilesOptions{.cache_bytes = 0}}) {
    Site site("/*", directory.path(), options);
    site.sink.before_source = [] {
      under_way->write("new", "another");
      std::filesystem::rename(*under_way / "new", *under_way / "f.bin");
    };
    const Answer replaced = site.get("/f.bin");
    CHECK(!replaced.cut);
    CHECK(replaced.body == text);
    directory.write("f.bin", text);
    std::filesystem::last_write_time(directory / "f.bin", std::filesystem::file_time_type{});
    ++Site::now;
    site.sink.before_source = [] { under_way->write("f.bin", std::string(200'000, 'y')); };
    const Answer rewritten = site.get("/f.bin");
    CHECK(rewritten.cut);
    CHECK(rewritten.body.empty());
    directory.write("f.bin", text);
    std::filesystem::last_write_time(directory / "f.bin", std::filesystem::file_time_type{});
  }
  CHECK(sources_live() == 0);
}

TEST_CASE("files: without a free descriptor the answer is 503, try again") {
  const TemporaryDirectory directory;
  directory.write("a.txt", "hello");
  Site site("/*", directory.path());
  rlimit before;
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const Answer answer = site.get("/a.txt");
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(answer.status == 503);
  CHECK(answer.field("Retry-After") == "1");
  CHECK(site.get("/a.txt").status == 200);
}

TEST_CASE("files: what was right a second ago is the answer where nothing can be opened") {
  const TemporaryDirectory directory;
  directory.write("a.txt", "hello");
  Site site("/*", directory.path());
  CHECK(site.get("/a.txt").status == 200);
  rlimit before;
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  Site::now += 2;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const Answer answer = site.get("/a.txt");
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(answer.status == 200);
  CHECK(answer.body == "hello");
  Site::now += 2;
  CHECK(site.get("/a.txt").body == "hello");
  directory.write("a.txt", "changed");
  CHECK(site.get("/a.txt").body == "hello");
  Site::now += 2;
  CHECK(site.get("/a.txt").body == "changed");
}

TEST_CASE("files: nothing is allocated once it runs") {
  const TemporaryDirectory directory;
  directory.write("small", pattern_of_bytes(1000));
  directory.write("large", pattern_of_bytes(100'000));
  directory.write("d/index.html", "x");
  Site site("/*", directory.path());
  const auto ask_all = [&] {
    CHECK(site.get("/small").status == 200);
    CHECK(site.get("/large").status == 200);
    CHECK(site.get("/d").status == 301);
  };
  ask_all();
  const std::uint64_t before = millrace::mem::allocations();
  for (int round = 0; round < 10; ++round) ask_all();
  CHECK(millrace::mem::allocations() == before);
}

TEST_CASE("files: make_entry judges the pattern, the directory and the options") {
  const TemporaryDirectory directory;
  directory.write("file", "x");
  millrace::detail::Entry entry;
  for (const char* pattern : {"", "/", "/x", "*", "x/*", "/{id}/*"}) {
    CAPTURE(pattern);
    CHECK(make_entry(pattern, directory.path(), {}, entry).find("ends in `/*`") != std::string::npos);
  }
  const auto problem = [&](const millrace::FilesOptions& options, const std::string& path) {
    return make_entry("/*", path, options, entry);
  };
  const std::string good = directory.path();
  CHECK(problem({}, directory / "absent").find("No such file") != std::string::npos);
  CHECK(problem({}, directory / "file").find("Not a directory") != std::string::npos);
  CHECK(problem({.index = "a/b"}, good).starts_with("index \"a/b\""));
  CHECK(problem({.index = ".."}, good).starts_with("index"));
  CHECK(problem({.fallback = "../x"}, good).starts_with("fallback"));
  CHECK(problem({.fallback = "x/"}, good).starts_with("fallback"));
  CHECK(problem({.fallback = ".x"}, good).starts_with("fallback"));
  CHECK(problem({.cache_control = {{"", "x"}}}, good).starts_with("cache_control"));
  CHECK(problem({.cache_control = {{"*", "a\r\nb"}}}, good).starts_with("cache_control value"));
  CHECK(problem({.cache_control = {{"*", std::string(1025, 'x')}}}, good).find("at most 1024") !=
        std::string::npos);
  CHECK(problem({.types = {{".js", "x/y"}}}, good).starts_with("types"));
  CHECK(problem({.types = {{"js", ""}}}, good).starts_with("types"));
  CHECK(problem({.cache_bytes = ~0ull}, good).starts_with("cache_bytes"));
  CHECK(problem({.cache_files = ~0u}, good).starts_with("cache_files"));
}
