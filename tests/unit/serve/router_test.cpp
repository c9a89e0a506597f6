// Goal: precedence, going back, encoded slashes, parameters and Allow, each as a table.
#include "engine/serve/router.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

using namespace millrace;
using serve::AppState;
using serve::Parameters;
using serve::Route;
using serve::Router;

namespace {

const detail::Entry plain{.start = [](void*, Request&) noexcept {}};

template <class... A>
detail::Entry typed() {
  static constexpr std::array<detail::ParameterCheck, sizeof...(A)> checks{detail::parameter_check<A>()...};
  detail::Entry entry = plain;
  entry.checks = checks;
  return entry;
}

/// The target of a request, decoded in place as the session does it.
struct Path {
  explicit Path(std::string_view raw) : line("GET " + std::string(raw)) {
    http::Head head;
    head.base = line.data();
    head.target_at = 4;
    head.target_size = static_cast<std::uint16_t>(raw.size());
    head.plain_size = static_cast<std::uint16_t>(std::min(raw.find_first_of("?%"), raw.size()));
    head.method = http::Method::get;
    REQUIRE(http::read_target(head, line.data(), target).code == Errc::ok);
  }
  std::string line;
  http::Target target;
};

struct Fixture {
  AppState state;
  std::unique_ptr<Router> router;

  void add(std::string_view method, std::string_view pattern, const detail::Entry& entry = plain) {
    REQUIRE(state.add(method, pattern, entry) == "");
  }
  Router& built() {
    std::string problem;
    if (router == nullptr) router = Router::build(state.routes(), problem);
    REQUIRE(problem == "");
    return *router;
  }
  /// "GET /items/{id} 7": the route and its parameters; "-" for none.
  std::string find(std::string_view raw, http::Method method = http::Method::get) {
    const Path path(raw);
    Parameters parameters;
    std::uint8_t count = 99;
    const Route* route = built().find(method, path.target, parameters, count);
    if (route == nullptr) return count == 0 ? "-" : "parameters were left over";
    std::string text = std::string(route->method_text()) + " " + route->pattern;
    for (unsigned i = 0; i < count; ++i) text.append(" ").append(parameters[i]);
    return text;
  }
  std::string allow(std::string_view raw) {
    const Path path(raw);
    std::array<char, serve::allow_bytes_max> buffer;
    const serve::MethodSet methods = built().allowed(path.target);
    return methods != 0 ? std::string(serve::write_allow(methods, buffer)) : "-";
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "router: literal before parameter before wildcard, segment by segment") {
  for (const char* pattern : {"/", "/items", "/items/new", "/items/{id}", "/items/{id}/parts", "/items/*",
                              "/{any}", "/items/new/x/{y}", "/deep/{a}/{b}/c", "/static/*", "/a/{x}/*"}) {
    add("GET", pattern);
  }
  struct Case {
    const char* path;
    const char* want;
  };
  static constexpr Case cases[] = {
      {"/", "GET /"},
      {"/items", "GET /items"},
      {"/items?x=1", "GET /items"},
      {"/items/new", "GET /items/new"},
      {"/items/7", "GET /items/{id} 7"},
      {"/items/7/parts", "GET /items/{id}/parts 7"},
      {"/items/new/parts", "GET /items/{id}/parts new"},
      {"/items/7/other", "GET /items/* 7/other"},
      {"/items/new/x", "GET /items/* new/x"},
      {"/items/new/x/1", "GET /items/new/x/{y} 1"},
      {"/items/new/x/1/2", "GET /items/* new/x/1/2"},
      {"/items/", "GET /items/* "},
      {"/other", "GET /{any} other"},
      {"/other/", "-"},
      {"/deep/1/2/c", "GET /deep/{a}/{b}/c 1 2"},
      {"/deep/1/2/d", "-"},
      {"/static", "GET /static/* "},
      {"/static/", "GET /static/* "},
      {"/static/css/a.css", "GET /static/* css/a.css"},
      {"/static//a", "GET /static/* /a"},
      {"/a/1", "GET /a/{x}/* 1 "},
      {"/a/1/2/3", "GET /a/{x}/* 1 2/3"},
      {"/a//3", "-"},
      {"//", "-"},
      {"/Items", "GET /{any} Items"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.path);
    CHECK(find(c.path) == c.want);
  }
}

// Such a pattern is found without the tree where that gives the same.
TEST_CASE_FIXTURE(Fixture, "router: one parameter at the end, and what goes before it") {
  for (const char* pattern : {"/{top}", "/a/{x}", "/a/b/*", "/c/{x}", "/c/d", "/c/d/{y}", "/{z}/only/{w}"}) {
    add("GET", pattern);
  }
  add("POST", "/c/{x}");
  add("POST", "/n/{x}", typed<int>());
  add("POST", "/n/*");
  struct Case {
    http::Method method;
    const char* path;
    const char* want;
  };
  static constexpr Case cases[] = {
      {http::Method::get, "/top", "GET /{top} top"},
      {http::Method::get, "/a", "GET /{top} a"},
      {http::Method::get, "/a/", "-"},
      {http::Method::get, "/a/x", "GET /a/{x} x"},
      {http::Method::get, "/a/b", "GET /a/b/* "},
      {http::Method::get, "/a/bb", "GET /a/{x} bb"},
      {http::Method::get, "/c/x", "GET /c/{x} x"},
      {http::Method::get, "/c/d", "GET /c/d"},
      {http::Method::post, "/c/d", "POST /c/{x} d"},
      {http::Method::get, "/c/d/e", "GET /c/d/{y} e"},
      {http::Method::post, "/c/d/e", "-"},
      {http::Method::get, "/c/only/e", "GET /{z}/only/{w} c e"},
      {http::Method::post, "/n/1", "POST /n/{x} 1"},
      {http::Method::post, "/n/one", "POST /n/* one"},
      {http::Method::get, "/n/1", "-"},
      {http::Method::get, "/x/y", "-"},
      {http::Method::get, "//y", "-"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.path);
    CHECK(find(c.path, c.method) == c.want);
  }
}

TEST_CASE_FIXTURE(Fixture, "router: an encoded slash is data") {
  for (const char* pattern : {"/a/b", "/a/{x}", "/a", "/{x}", "/s/*"}) add("GET", pattern);
  CHECK(find("/a/b") == "GET /a/b");
  CHECK(find("/a%2Fb") == "GET /{x} a/b");
  CHECK(find("/a%2fb") == "GET /{x} a/b");
  CHECK(find("/a/b%2Fc") == "GET /a/{x} b/c");
  CHECK(find("/%61/b") == "GET /a/b");
  CHECK(find("/a/%62") == "GET /a/b");
  CHECK(find("/s/x%2Fy/z") == "GET /s/* x/y/z");
  CHECK(find("/a%2F") == "GET /{x} a/");
  CHECK(find("/a/b%2F") == "GET /a/{x} b/");
}

TEST_CASE_FIXTURE(Fixture, "router: a method without a route looks further") {
  add("GET", "/items/new");
  add("POST", "/items/{id}");
  add("DELETE", "/items/*");
  CHECK(find("/items/new") == "GET /items/new");
  CHECK(find("/items/new", http::Method::post) == "POST /items/{id} new");
  CHECK(find("/items/new", http::Method::delete_) == "DELETE /items/* new");
  CHECK(find("/items/new", http::Method::put) == "-");
  CHECK(find("/items/7") == "-");
  CHECK(allow("/items/new") == "Allow: DELETE, GET, HEAD, OPTIONS, POST\r\n");
  CHECK(allow("/items/7") == "Allow: DELETE, OPTIONS, POST\r\n");
  CHECK(allow("/items/7/8") == "Allow: DELETE, OPTIONS\r\n");
  CHECK(allow("/other") == "-");
}

TEST_CASE_FIXTURE(Fixture, "router: a parameter that is not of its type looks further") {
  add("GET", "/items/{id}", typed<std::int64_t>());
  add("GET", "/items/*");
  add("PUT", "/items/{id}", typed<std::uint8_t>());
  add("GET", "/x/{a}/{b}", typed<std::string_view, bool>());
  CHECK(find("/items/7") == "GET /items/{id} 7");
  CHECK(find("/items/-9223372036854775808") == "GET /items/{id} -9223372036854775808");
  CHECK(find("/items/9223372036854775808") == "GET /items/* 9223372036854775808");
  CHECK(find("/items/abc") == "GET /items/* abc");
  CHECK(find("/items/256", http::Method::put) == "-");
  CHECK(allow("/items/255") == "Allow: GET, HEAD, OPTIONS, PUT\r\n");
  CHECK(allow("/items/256") == "Allow: GET, HEAD, OPTIONS\r\n");
  CHECK(find("/x/maybe/true") == "GET /x/{a}/{b} maybe true");
  CHECK(find("/x/maybe/maybe") == "-");
  CHECK(allow("/x/maybe/maybe") == "-");
}

TEST_CASE_FIXTURE(Fixture, "router: HEAD takes its own route, then GET's, then any") {
  add("GET", "/a");
  add("GET", "/b");
  add("HEAD", "/b");
  add("*", "/c");
  add("GET", "/d");
  add("*", "/d");
  CHECK(find("/a", http::Method::head) == "GET /a");
  CHECK(find("/b", http::Method::head) == "HEAD /b");
  CHECK(find("/c", http::Method::head) == "* /c");
  CHECK(find("/d", http::Method::head) == "GET /d");
  CHECK(find("/d", http::Method::post) == "* /d");
  CHECK(find("/d", http::Method::options) == "* /d");
  CHECK(find("/a", http::Method::options) == "-");
  CHECK(allow("/a") == "Allow: GET, HEAD, OPTIONS\r\n");
  CHECK(allow("/c") == "Allow: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT\r\n");
}

TEST_CASE_FIXTURE(Fixture, "router: any on /* takes every path and method, but CONNECT") {
  add("*", "/*");
  for (const char* path : {"/", "/a", "/a/", "//", "/a//b", "/%2F", "/a/b/c/d/e/f/g/h/i/j/k"}) {
    CAPTURE(path);
    CHECK(find(path).starts_with("* /* "));
    CHECK(find(path, http::Method::delete_).starts_with("* /* "));
    CHECK(find(path, http::Method::trace).starts_with("* /* "));
    CHECK(find(path, http::Method::other).starts_with("* /* "));
    CHECK(find(path, http::Method::connect) == "-");
  }
}

TEST_CASE_FIXTURE(Fixture, "router: the same twice is a sentence") {
  const auto problem_of = [this] {
    std::string problem;
    CHECK(Router::build(state.routes(), problem) == nullptr);
    return problem;
  };
  SUBCASE("pattern and method") {
    add("GET", "/a");
    add("GET", "/a");
    CHECK(problem_of() == "two routes are for the same: GET /a");
  }
  SUBCASE("parameters of other names") {
    add("PUT", "/a/{x}");
    add("PUT", "/a/{y}");
    CHECK(problem_of() == "two routes are for the same: PUT /a/{x} and /a/{y}");
  }
  SUBCASE("any") {
    add("*", "/a/*");
    add("*", "/a/*");
    CHECK(problem_of() == "two routes are for the same: * /a/*");
  }
}

TEST_CASE("router: many static paths, of every length, alike at both ends") {
  Fixture fixture;
  std::vector<std::string> paths;
  for (std::size_t size = 1; size < 80; ++size) {
    for (char byte : {'a', 'b', 'c', 'd', 'e', 'f', 'g'}) {
      std::string path(size + 1, 'x');
      path[0] = '/';
      path[1 + size / 3] = byte;
      paths.push_back(path);
    }
  }
  for (const std::string& path : paths) fixture.add("GET", path);
  for (const std::string& path : paths) {
    CAPTURE(path);
    CHECK(fixture.find(path) == "GET " + path);
    CHECK(fixture.find(path + "y") == "-");
    std::string other = path;
    other[1 + (path.size() - 1) / 3] = 'z';
    CHECK(fixture.find(other) == "-");
  }
}

TEST_CASE("router: an empty one finds nothing") {
  Fixture fixture;
  CHECK(fixture.find("/") == "-");
  CHECK(fixture.allow("/") == "-");
}
