// Goal: the middleware that comes with the library: what it lets in, what it adds, what it answers.
#include <doctest/doctest.h>
#include <millrace/millrace.hpp>

#include <string>
#include <vector>

#include "engine/ext/guard/base64.hpp"
#include "engine/ext/guard/token_buckets.hpp"
#include "engine/serve/request_id.hpp"
#include "tests/unit/ext/support.hpp"
#include "tests/unit/serve/app_fixture.hpp"

using namespace millrace;
using test::Answer;
using test::AppFixture;

namespace {

auto ok() {
  return [] { return "ok"; };
}

std::string field(const Answer& answer, std::string_view name) {
  const std::string start = std::string(name) + ": ";
  const std::size_t at = answer.fields.find(start);
  if (at == std::string::npos) return "(none)";
  return answer.fields.substr(at + start.size(), answer.fields.find('\r', at) - at - start.size());
}

}  // namespace

TEST_CASE_FIXTURE(AppFixture, "headers: added where the reply has none of that name") {
  app.use(headers({{"Cache-Control", "no-store"}, {"X-A", "1"}}), security_headers({.frame_options = ""}));
  app.get("/", [] { return Response("x").header("cache-control", "max-age=9"); });
  const Answer answer = ask("GET /");
  CHECK(answer.fields ==
        "cache-control: max-age=9\r\nX-Content-Type-Options: nosniff\r\n"
        "Referrer-Policy: strict-origin-when-cross-origin\r\nCross-Origin-Opener-Policy: same-origin\r\nX-A: "
        "1\r\n");
  CHECK(field(ask("GET /none"), "Cache-Control") == "no-store");
}

TEST_CASE_FIXTURE(AppFixture, "request id: kept where it is one, else made, once a request") {
  std::string seen;
  app.use(request_id());
  app.get("/", [&](Request& request) {
    seen = request.id();
    return "";
  });
  CHECK(field(ask("GET /", "X-Request-Id: abc-1.2_~+/=:@Z\r\n\r\n"), "X-Request-Id") == "abc-1.2_~+/=:@Z");
  CHECK(seen == "abc-1.2_~+/=:@Z");
  std::vector<std::string> made;
  const std::string cases[] = {"\r\n", "X-Request-Id: a b\r\n\r\n", "X-Request-Id: \r\n\r\n",
                               "X-Request-Id: a\"b\r\n\r\n",
                               "X-Request-Id: " + std::string(129, 'a') + "\r\n\r\n"};
  for (const std::string& more : cases) {
    const std::string id = field(ask("GET /", more), "X-Request-Id");
    CHECK(id == seen);
    CHECK(id.size() == 32);
    CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(std::find(made.begin(), made.end(), id) == made.end());
    made.push_back(id);
  }
  CHECK(serve::valid_request_id(std::string(128, 'a')));
  AppFixture without;
  without.app.get("/", [](Request& request) { return std::string(request.id()); });
  CHECK(without.ask("GET /", "X-Request-Id: a\r\n\r\n").body == "");
}

TEST_CASE_FIXTURE(AppFixture, "cors: answers preflights, and tells browsers who may read") {
  Group api = app.group("/api").use(cors({.origins = {"https://a.example", "https://b.example"},
                                          .methods = {"GET", "PUT"},
                                          .headers = {"X-Key"},
                                          .expose = {"X-Count"},
                                          .credentials = true}));
  api.get("/items", ok());
  const char* const preflight = "Origin: https://b.example\r\nAccess-Control-Request-Method: PUT\r\n\r\n";
  for (const char* line : {"OPTIONS /api/items", "OPTIONS /api/none"}) {
    const Answer answer = ask(line, preflight);
    CHECK(answer.status == 204);
    CHECK(answer.fields ==
          "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n"
          "Access-Control-Allow-Origin: https://b.example\r\nAccess-Control-Allow-Methods: GET, PUT\r\n"
          "Access-Control-Allow-Headers: X-Key\r\nAccess-Control-Allow-Credentials: true\r\n"
          "Access-Control-Max-Age: 600\r\n");
  }
  const Answer stranger =
      ask("OPTIONS /api/items", "Origin: https://evil.example\r\nAccess-Control-Request-Method: PUT\r\n\r\n");
  CHECK(stranger.status == 204);
  CHECK(stranger.fields == "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n");
  const Answer read = ask("GET /api/items", "Origin: https://a.example\r\n\r\n");
  CHECK(read.body == "ok");
  CHECK(read.fields ==
        "Vary: Origin\r\nAccess-Control-Allow-Origin: https://a.example\r\n"
        "Access-Control-Allow-Credentials: true\r\nAccess-Control-Expose-Headers: X-Count\r\n");
  CHECK(ask("GET /api/items", "Origin: null\r\n\r\n").fields == "Vary: Origin\r\n");
  CHECK(ask("GET /api/items").fields == "Vary: Origin\r\n");
  CHECK(ask("OPTIONS /api/items").fields ==
        "Allow: GET, HEAD, OPTIONS\r\nVary: Origin\r\n");  // No preflight.
  CHECK(field(ask("GET /api/none", "Origin: https://a.example\r\n\r\n"), "Access-Control-Allow-Origin") ==
        "https://a.example");
}

TEST_CASE_FIXTURE(AppFixture, "cors: every origin, and then never with credentials") {
  app.use(cors({.credentials = true}));
  app.get("/", ok());
  const Answer read = ask("GET /", "Origin: https://any.example\r\n\r\n");
  CHECK(read.fields == "Access-Control-Allow-Origin: *\r\n");
  const Answer preflight =
      ask("OPTIONS /", "Origin: https://any.example\r\nAccess-Control-Request-Method: GET\r\n\r\n");
  CHECK(field(preflight, "Access-Control-Allow-Origin") == "*");
  CHECK(field(preflight, "Access-Control-Allow-Credentials") == "(none)");
}

TEST_CASE_FIXTURE(AppFixture, "cors: a route's own, in the place of the application's") {
  const auto key = [](Request& request) -> std::optional<Response> {
    if (request.header("x-key")) return std::nullopt;
    return Response("no key").status(401);
  };
  app.use(cors({.origins = {"https://a.example"}}), key);
  app.get("/own", ok(), cors({.origins = {"https://b.example"}, .methods = {"GET"}}));
  app.post("/own", ok());
  app.get("/all", ok());
  const auto allowed = [this](const char* line, const char* origin, const char* wanted) {
    const Answer answer =
        ask(line, (std::string("X-Key: 1\r\nOrigin: https://") + origin +
                   (*wanted != 0 ? "\r\nAccess-Control-Request-Method: " : "") + wanted + "\r\n\r\n")
                      .c_str());
    return field(answer, "Access-Control-Allow-Origin") != "(none)";
  };
  CHECK(allowed("GET /own", "b.example", ""));
  CHECK(!allowed("GET /own", "a.example", ""));
  CHECK(allowed("OPTIONS /own", "b.example", "GET"));
  CHECK(allowed("OPTIONS /own", "b.example", "HEAD"));
  CHECK(!allowed("OPTIONS /own", "a.example", "GET"));
  CHECK(allowed("OPTIONS /own", "b.example", ""));  // No preflight, but of the same path.
  CHECK(allowed("PUT /own", "b.example", ""));      // 405.
  CHECK(allowed("OPTIONS /own", "a.example", "POST"));
  CHECK(!allowed("OPTIONS /own", "b.example", "POST"));
  CHECK(allowed("POST /own", "a.example", ""));
  for (const char* line : {"GET /all", "OPTIONS /all", "GET /none", "OPTIONS /none"}) {
    const char* const wanted = *line == 'O' ? "GET" : "";
    CHECK(allowed(line, "a.example", wanted));
    CHECK(!allowed(line, "b.example", wanted));
  }
  // Where the application's stands: before the key is asked for, and around the answer that asks for it.
  const Answer preflight =
      ask("OPTIONS /own", "Origin: https://b.example\r\nAccess-Control-Request-Method: GET\r\n\r\n");
  CHECK(preflight.status == 204);
  CHECK(field(preflight, "Access-Control-Allow-Methods") == "GET");
  const Answer refused = ask("GET /own", "Origin: https://b.example\r\n\r\n");
  CHECK(refused.status == 401);
  CHECK(field(refused, "Access-Control-Allow-Origin") == "https://b.example");
}

TEST_CASE_FIXTURE(AppFixture, "basic authentication") {
  app.get("/", ok(), basic_auth("the realm", [](std::string_view name, std::string_view password) {
            return name == "Aladdin" && same_secret(password, "open sesame");
          }));
  CHECK(ask("GET /", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n").body == "ok");
  CHECK(ask("GET /", "Authorization: bAsIc   QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n").body == "ok");
  for (
      const char* more :
      {"\r\n", "Authorization: Basic\r\n\r\n", "Authorization: Basic \r\n\r\n",
       "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZR==\r\n\r\n",  // Another password, in its last byte's bits.
       "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ\r\n\r\n", "Authorization: Basic QWxhZGRpbg==\r\n\r\n",
       "Authorization: Basic %%%%\r\n\r\n", "Authorization: Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n",
       "Authorization: BasicQWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n",
       "Authorization: Basic QWxhZGRpbjpvcGVu\r\n\r\n"}) {
    CAPTURE(more);
    const Answer refused = ask("GET /", more);
    CHECK(refused.status == 401);
    CHECK(refused.fields == "WWW-Authenticate: Basic realm=\"the realm\", charset=\"UTF-8\"\r\n");
  }
  AppFixture odd;
  odd.app.get("/", ok(), basic_auth("a\"b", [](std::string_view, std::string_view) { return true; }));
  const test::StderrCapture quiet;
  CHECK(odd.ask("GET /").status == 500);
}

TEST_CASE_FIXTURE(AppFixture, "bearer authentication") {
  app.get("/", ok(), bearer_auth("api", [](std::string_view token) { return same_secret(token, "s3cret"); }));
  CHECK(ask("GET /", "Authorization: Bearer s3cret\r\n\r\n").body == "ok");
  CHECK(field(ask("GET /"), "WWW-Authenticate") == "Bearer realm=\"api\"");
  const Answer wrong = ask("GET /", "Authorization: Bearer wrong!\r\n\r\n");
  CHECK(wrong.status == 401);
  CHECK(field(wrong, "WWW-Authenticate") == "Bearer realm=\"api\", error=\"invalid_token\"");
  CHECK(ask("GET /", "Authorization: Bearer \r\n\r\n").status == 401);
}

TEST_CASE("same_secret: equal, and nothing else") {
  CHECK(same_secret("", ""));
  CHECK(same_secret("abc", "abc"));
  CHECK_FALSE(same_secret("abc", "abd"));
  CHECK_FALSE(same_secret("abc", "xbc"));
  CHECK_FALSE(same_secret("abc", "ab"));
  CHECK_FALSE(same_secret("", "a"));
}

TEST_CASE("base64: RFC 4648 section 10") {
  CHECK(from_base64("Zg==") == "f");
  CHECK(from_base64("Zm8=") == "fo");
  CHECK(from_base64("Zm9vYmFy") == "foobar");
  CHECK(from_base64("/+8=") == "\xff\xef");
  for (const char* wrong : {"", "Zg", "Zg=", "Z===", "=Zg=", "Zm9v=mFy", "Zm9-", "Zm 9", "Zh==", "Zm9="}) {
    CAPTURE(wrong);
    CHECK_FALSE(from_base64(wrong).has_value());
  }
}

TEST_CASE_FIXTURE(AppFixture, "rate limit: a key's tokens go, and grow back") {
  app.get("/", ok(), rate_limit({.per_second = 0.5, .burst = 3, .key = [](const Request& request) {
                                   return std::string(request.header("X-Key").value_or(""));
                                 }}));
  for (int i = 0; i < 3; ++i) CHECK(ask("GET /", "X-Key: a\r\n\r\n").status == 200);
  const Answer limited = ask("GET /", "X-Key: a\r\n\r\n");
  CHECK(limited.status == 429);
  CHECK(limited.fields == "Retry-After: 2\r\n");
  CHECK(ask("GET /", "X-Key: b\r\n\r\n").status == 200);
  for (int i = 0; i < 9; ++i) CHECK(ask("GET /").status == 200);  // Nobody's key.
  core.now += 1'500 * ns_per_ms;
  CHECK(field(ask("GET /", "X-Key: a\r\n\r\n"), "Retry-After") == "1");
  core.now += 500 * ns_per_ms;
  CHECK(ask("GET /", "X-Key: a\r\n\r\n").status == 200);
  CHECK(ask("GET /", "X-Key: a\r\n\r\n").status == 429);
  core.now += 3600 * ns_per_s;
  for (int i = 0; i < 3; ++i) CHECK(ask("GET /", "X-Key: a\r\n\r\n").status == 200);
  CHECK(ask("GET /", "X-Key: a\r\n\r\n").status == 429);
}

TEST_CASE("token buckets: a full row forgets who has most tokens, and no other") {
  constexpr std::size_t ways = guard::TokenBuckets::ways;
  guard::TokenBuckets buckets({.per_second = 1, .burst = 10}, 1);  // One row.
  const TimeNs now = ns_per_s;
  for (std::uint64_t key = 0; key < ways; ++key) {
    for (std::uint64_t i = 0; i <= key; ++i) CHECK(buckets.take(key, now) == 0);
  }
  CHECK(buckets.take(100, now) == 0);  // In place of key 0, which has 9 tokens left.
  for (std::uint64_t i = 0; i < 2; ++i) CHECK(buckets.take(ways - 1, now) == 0);  // Had 2 left.
  CHECK(buckets.take(ways - 1, now) == ns_per_s);
  for (std::uint64_t i = 0; i < 10; ++i)
    CHECK(buckets.take(0, now) == 0);  // New again, for another one's place.
  CHECK(buckets.take(0, now) != 0);
}
