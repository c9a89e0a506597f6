// Goal: what a route of files answers by its options: the cache, compressed forms, several ranges, cache
// control, types, listings, the fallback. Method: as files_test.cpp, with a clock of the test's.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/ext/files/cache.hpp"
#include "engine/ext/files/listing.hpp"
#include "engine/ext/files/loader.hpp"
#include "engine/ext/files/source.hpp"
#include "tests/unit/ext/support.hpp"

using namespace millrace::files;
using namespace millrace::files::test;
using millrace::FilesOptions;
using millrace::http::Method;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

/// By another name first, as files are to be replaced.
void replace(const TemporaryDirectory& directory, std::string_view name, std::string_view text) {
  directory.write("new", text);
  std::filesystem::rename(directory / "new", directory / name);
}

void set_time(const std::string& path, std::int64_t seconds) {
  const timespec times[2] = {{.tv_sec = seconds, .tv_nsec = 0}, {.tv_sec = seconds, .tv_nsec = 0}};
  REQUIRE(utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

}  // namespace

TEST_CASE("files: what is cached is looked at once a second") {
  const TemporaryDirectory directory;
  directory.write("a.txt", "one");
  Site site("/*", directory.path());
  CHECK(site.get("/a.txt").body == "one");
  replace(directory, "a.txt", "two");
  CHECK(site.get("/a.txt").body == "one");
  ++Site::now;
  CHECK(site.get("/a.txt").body == "two");
  std::filesystem::remove(directory / "a.txt");
  CHECK(site.get("/a.txt").status == 200);
  ++Site::now;
  CHECK(site.get("/a.txt").status == 404);
  CHECK(site.get("/a.txt").status == 404);
  directory.write("a.txt", "three");  // What is missing is not kept.
  CHECK(site.get("/a.txt").body == "three");

  Site uncached("/*", directory.path(), {.cache_bytes = 0});
  CHECK(uncached.get("/a.txt").body == "three");
  replace(directory, "a.txt", "four");
  CHECK(uncached.get("/a.txt").body == "four");
}

TEST_CASE("files: a file that is written to is seen by its time or its size") {
  const TemporaryDirectory directory;
  directory.write("a.txt", "one");
  set_time(directory / "a.txt", 1'000'000);
  Site site("/*", directory.path());
  CHECK(site.get("/a.txt").body == "one");
  directory.write("a.txt", "two");
  set_time(directory / "a.txt", 1'000'001);
  ++Site::now;
  CHECK(site.get("/a.txt").body == "two");
  directory.write("a.txt", "three");
  set_time(directory / "a.txt", 1'000'001);
  ++Site::now;
  CHECK(site.get("/a.txt").body == "three");
}

TEST_CASE("files: the cache stays within its bounds, the oldest goes first") {
  const TemporaryDirectory directory;
  directory.write("a", std::string(1000, 'a'));
  directory.write("b", std::string(1000, 'b'));
  directory.write("c", std::string(1000, 'c'));
  Cache cache(4000, 1);
  const auto put = [&](const char* name) {
    Loader loader(Root::open_directory(directory.path()).value(), {});
    const auto loaded = loader.load(name, std::hash<std::string_view>()(name), nullptr, 1);
    REQUIRE(loaded.outcome == Root::Outcome::file);
    const bool kept = cache.insert(*loaded.resource);
    if (!kept) destroy(loaded.resource);
    CHECK(cache.memory_bytes() <= 4000);
    CHECK(cache.files() <= 1);
    return kept;
  };
  const auto kept = [&](const char* name) {
    return cache.find(name, std::hash<std::string_view>()(name)) != nullptr;
  };
  CHECK(put("a"));
  CHECK(put("b"));
  CHECK(kept("a"));  // And is the youngest now.
  CHECK(put("c"));
  CHECK(kept("a"));
  CHECK(!kept("b"));
  CHECK(kept("c"));
  directory.write("large1", std::string(memory_file_bytes_max + 1, 'x'));
  directory.write("large2", std::string(memory_file_bytes_max + 1, 'x'));
  CHECK(put("large1"));
  CHECK(cache.files() == 1);
  CHECK(put("large2"));
  CHECK(!kept("large1"));
  directory.write("d", std::string(5000, 'd'));
  CHECK(!put("d"));
}

TEST_CASE("files: compressed forms") {
  const TemporaryDirectory directory;
  directory.write("a.js", std::string(900, 'a'));
  directory.write("a.js.gz", "gzip, the longest");
  directory.write("a.js.br", "brotli");
  directory.write("a.js.zst", "zstd....");
  directory.write("b.js", "bb");
  directory.write("b.js.gz", "longer than the file");
  directory.write("c.js", std::string(900, 'c'));
  directory.write("c.js.gz", "old");
  set_time(directory / "c.js.gz", 1'000'000);
  directory.write("d.js", std::string(900, 'd'));
  std::filesystem::create_directory(directory / "d.js.gz");
  Site site("/*", directory.path());
  struct Case {
    std::string_view accept, coding, body;
  };
  const std::string plain(900, 'a');
  const Case cases[] = {
      {"gzip", "gzip", "gzip, the longest"},
      {"gzip, deflate, br, zstd", "br", "brotli"},
      {"gzip, zstd", "zstd", "zstd...."},
      {"gzip, br;q=0.5", "gzip", "gzip, the longest"},
      {"*", "br", "brotli"},
      {"br;q=0, *", "zstd", "zstd...."},
      {"deflate", "", plain},
      {"", "", plain},
      {"identity, gzip;q=0.5", "", plain},
      {"*;q=0", "", plain},
  };
  for (const Case& c : cases) {
    CAPTURE(c.accept);
    const Answer answer = site.get("/a.js", {{"Accept-Encoding", c.accept}});
    CHECK(answer.status == 200);
    CHECK(answer.field("Content-Encoding") == c.coding);
    CHECK(answer.body == c.body);
    CHECK(answer.type == "text/javascript; charset=utf-8");
    CHECK(answer.field("Vary") == "Accept-Encoding");
  }
  const Answer none = site.get("/a.js");
  CHECK(none.field("Content-Encoding").empty());
  CHECK(none.field("Vary") == "Accept-Encoding");
  const Answer gzip = site.get("/a.js", {{"Accept-Encoding", "gzip"}});
  CHECK(none.field("ETag") != gzip.field("ETag"));
  const std::string etag = gzip.field("ETag");
  const Answer same = site.get("/a.js", {{"Accept-Encoding", "gzip"}, {"If-None-Match", etag}});
  CHECK(same.status == 304);
  CHECK(same.field("Vary") == "Accept-Encoding");
  CHECK(same.field("Content-Encoding").empty());
  CHECK(site.get("/a.js", {{"If-None-Match", etag}}).status == 200);
  const Answer part = site.get("/a.js", {{"Accept-Encoding", "gzip"}, {"Range", "bytes=0-3"}});
  CHECK(part.status == 206);
  CHECK(part.body == "gzip");
  CHECK(part.field("Content-Encoding") == "gzip");

  CHECK(site.get("/b.js", {{"Accept-Encoding", "gzip"}}).body == "bb");
  const Answer old = site.get("/c.js", {{"Accept-Encoding", "gzip"}});
  CHECK(old.field("Content-Encoding").empty());
  CHECK(old.field("Vary").empty());
  CHECK(site.get("/d.js", {{"Accept-Encoding", "gzip"}}).field("Content-Encoding").empty());
  CHECK(site.get("/a.js.br").body == "brotli");

  directory.write("c.js.gz", "new");
  ++Site::now;
  CHECK(site.get("/c.js", {{"Accept-Encoding", "gzip"}}).body == "new");

  Site without("/*", directory.path(), {.precompressed = false});
  const Answer plain_one = without.get("/a.js", {{"Accept-Encoding", "gzip"}});
  CHECK(plain_one.body == plain);
  CHECK(plain_one.field("Vary").empty());
}

TEST_CASE("files: several ranges, of a file in memory and of a large one") {
  const TemporaryDirectory directory;
  for (const std::size_t size : {std::size_t{1000}, memory_file_bytes_max + 1000}) {
    CAPTURE(size);
    std::string text(size, '\0');
    for (std::size_t at = 0; at < size; ++at) text[at] = static_cast<char>('a' + at % 23);
    directory.write("f.txt", text);
    Site site("/*", directory.path());
    const Answer answer = site.get("/f.txt", {{"Range", "bytes=0-4, 100-199, -3"}});
    CHECK(answer.status == 206);
    const std::string start = "multipart/byteranges; boundary=";
    REQUIRE(answer.type.starts_with(start));
    const std::string boundary = answer.type.substr(start.size());
    const std::string all = std::to_string(size);
    const auto part = [&](std::string_view range, std::string_view bytes) {
      return "--" + boundary + "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes " +
             std::string(range) + "/" + all + "\r\n\r\n" + std::string(bytes) + "\r\n";
    };
    const std::string last = std::to_string(size - 3) + "-" + std::to_string(size - 1);
    CHECK(answer.body == part("0-4", text.substr(0, 5)) + part("100-199", text.substr(100, 100)) +
                             part(last, text.substr(size - 3)) + "--" + boundary + "--\r\n");
    CHECK(answer.length == answer.body.size());
    CHECK(answer.by_source == (size > memory_file_bytes_max));
    CHECK(answer.field("ETag") == site.get("/f.txt").field("ETag"));
    CHECK(answer.field("Content-Range").empty());
    CHECK(site.get("/f.txt", {{"Range", "bytes=0-4, 100-199"}}).type != answer.type);
    const Answer one = site.get("/f.txt", {{"Range", "bytes=0-4, 9000000-"}});
    CHECK(one.status == 206);
    CHECK(one.type == "text/plain; charset=utf-8");
    CHECK(one.field("Content-Range") == "bytes 0-4/" + all);
    CHECK(site.get("/f.txt", {{"Range", "bytes=0-4, 2-8"}}).status == 200);
    CHECK(site.get("/f.txt", {{"Range", "bytes=9000000-, 9000001-"}}).status == 416);
    CHECK(site.ask(Method::head, "/f.txt", {{"Range", "bytes=0-4, 6-8"}}).status == 200);
  }
}

TEST_CASE("files: cache control by pattern, types by ending") {
  const TemporaryDirectory directory;
  for (const char* name : {"a.js", "assets/b.js", "c.HTML", "d.zzz"}) directory.write(name, "x");
  Site site("/*", directory.path(),
            {.cache_control = {{"assets/*", "immutable"}, {"*.js", "max-age=60"}},
             .types = {{"ZZZ", "x/zzz"}, {"html", "text/x-own"}}});
  CHECK(site.get("/a.js").field("Cache-Control") == "max-age=60");
  CHECK(site.get("/assets/b.js").field("Cache-Control") == "immutable");
  CHECK(site.get("/c.HTML").field("Cache-Control").empty());
  CHECK(site.get("/c.HTML").type == "text/x-own");
  CHECK(site.get("/d.zzz").type == "x/zzz");
  CHECK(site.get("/a.js", {{"If-None-Match", "*"}}).field("Cache-Control") == "max-age=60");
}

TEST_CASE("files: the fallback of an application that routes in the browser") {
  const TemporaryDirectory directory;
  directory.write("index.html", "application");
  directory.write("real/file", "x");
  Site site("/*", directory.path(), {.fallback = "index.html"});
  for (const char* path : {"/users/7", "/users/", "/a/b/c", "/real/absent", "/real/"}) {
    CAPTURE(path);
    const Answer answer = site.get(path);
    CHECK(answer.status == 200);
    CHECK(answer.body == "application");
    CHECK(answer.type == "text/html; charset=utf-8");
  }
  for (const char* path : {"/app.js", "/users/7.json", "/../x", "/a//b", "/.hidden", "/a%2fb"}) {
    CAPTURE(path);
    CHECK(site.get(path).status == 404);
  }
  CHECK(site.get("/real").status == 301);
  Site nothing("/*", directory.path(), {.fallback = "real"});
  CHECK(nothing.get("/absent").status == 404);
}

TEST_CASE("files: another index, or none") {
  const TemporaryDirectory directory;
  directory.write("start.htm", "start");
  directory.write("index.html", "index");
  CHECK(Site("/*", directory.path(), {.index = "start.htm"}).get("/").body == "start");
  CHECK(Site("/*", directory.path(), {.index = ""}).get("/").status == 404);
}

TEST_CASE("files: hidden names") {
  const TemporaryDirectory directory;
  directory.write(".env", "x");
  directory.write(".git/config", "y");
  Site site("/*", directory.path(), {.hidden = true});
  CHECK(site.get("/.env").body == "x");
  CHECK(site.get("/.git/config").body == "y");
  CHECK(site.get("/.git/../.env").status == 404);
}

TEST_CASE("files: a listing") {
  const TemporaryDirectory outside;
  outside.write("secret", "s");
  const TemporaryDirectory directory;
  directory.write("plain.txt", std::string(2000, 'x'));
  directory.write("zdir/inner", "x");
  directory.write("<b>&\"'.txt", "x");
  directory.write("a b%?#:.txt", "x");
  directory.write("bad\xff\n.txt", "x");
  directory.write(".hidden", "x");
  directory.write("with/index.html", "own");
  REQUIRE(mkfifo((directory / "fifo").c_str(), 0666) == 0);
  std::filesystem::create_symlink(outside / "secret", directory / "leak");
  std::filesystem::create_symlink("plain.txt", directory / "link");
  std::filesystem::create_symlink("zdir", directory / "dirlink");
  Site site("/s/*", directory.path(), {.listing = true});
  const Answer answer = site.get("/s/");
  CHECK(answer.status == 200);
  CHECK(answer.type == "text/html; charset=utf-8");
  CHECK(has(answer.field("Content-Security-Policy"), "default-src 'none'"));
  const std::string& page = answer.body;
  CHECK(has(page, "<title>/s/</title>"));
  CHECK(has(page, "<a href=\"./plain.txt\">plain.txt</a></td><td>2.0 KiB</td>"));
  CHECK(has(page, "<a href=\"./zdir/\">zdir/</a>"));
  CHECK(has(page, "<a href=\"./%3Cb%3E%26%22%27.txt\">&lt;b&gt;&amp;&quot;&#39;.txt</a>"));
  CHECK(has(page, "<a href=\"./a%20b%25%3F%23%3A.txt\">a b%?#:.txt</a>"));
  CHECK(has(page, "<a href=\"./bad%FF%0A.txt\">bad\xff\xef\xbf\xbd.txt</a>"));
  CHECK(has(page, "./link\">link</a></td><td>2.0 KiB"));
  CHECK(has(page, "./dirlink/\">"));
  for (const char* absent : {".hidden", "leak", "fifo", "../"}) {
    const std::string entry = "\">" + std::string(absent);
    CAPTURE(entry);
    CHECK(!has(page, entry));
  }
  CHECK(page.find("./dirlink/") < page.find("./with/"));
  CHECK(page.find("./zdir/") < page.find("./a%20b"));
  CHECK(site.get("/s/zdir").status == 301);
  const Answer inner = site.get("/s/zdir/");
  CHECK(has(inner.body, "<a href=\"../\">../</a>"));
  CHECK(has(inner.body, "./inner"));
  CHECK(site.get("/s/with/").body == "own");
  CHECK(site.get("/s/absent/").status == 404);
  CHECK(site.get("/s/plain.txt/").status == 404);
  CHECK(site.get("/s/bad%ff%0a.txt").status == 200);
  std::filesystem::create_directory(directory / "empty");
  CHECK(has(site.get("/s/empty/").body, "Nothing is here."));
  CHECK(site.ask(Method::head, "/s/").body.empty());
}

TEST_CASE("files: a listing is bounded") {
  const TemporaryDirectory directory;
  for (std::size_t index = 0; index <= listing_entries_max; ++index)
    directory.write(std::to_string(index), "");
  Site site("/*", directory.path(), {.listing = true});
  const std::string page = site.get("/").body;
  std::size_t links = 0;
  for (std::size_t at = page.find("href="); at != page.npos; at = page.find("href=", at + 1)) ++links;
  CHECK(links == listing_entries_max);
  CHECK(has(page, "Only 2000 entries are listed."));
}
