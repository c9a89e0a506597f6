#include "tests/sim/sim_request.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "engine/ext/compress/encoder.hpp"
#include "tests/sim/sim_app.hpp"

namespace millrace::test {
namespace {

using io::sim::Random;

std::string number(std::uint64_t value) { return std::to_string(value); }

std::string hex(std::uint64_t value) {
  char digits[20];
  return {digits, std::to_chars(digits, digits + 20, value, 16).ptr};
}

std::string filler(Random& random) {
  if (!random.chance(300)) return {};
  return "X-Filler: " + std::string(random.below(400), 'f') + "\r\n";
}

SimRequest get(Random& random, const std::string& path, Wanted wanted, const std::string& fields = {},
               const char* method = "GET") {
  SimRequest request;
  request.bytes = std::string(method) + " " + path + " HTTP/1.1\r\nHost: sim\r\n" + fields + filler(random);
  request.bytes += "\r\n";
  request.wanted = std::move(wanted);
  return request;
}

std::string post(const std::string& path, const std::string& fields) {
  return "POST " + path + " HTTP/1.1\r\nHost: sim\r\n" + fields + "\r\n";
}

std::string length(std::size_t size) { return "Content-Length: " + number(size) + "\r\n"; }

constexpr std::string_view chunked_field = "Transfer-Encoding: chunked\r\n";

std::string chunked(Random& random, const std::string& body, bool with_sum) {
  std::string text;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t size = std::min<std::size_t>(body.size() - at, 1 + random.below(700));
    text +=
        hex(size) + (random.chance(100) ? ";name=\"v\\\"\"" : "") + "\r\n" + body.substr(at, size) + "\r\n";
    at += size;
  }
  return text + (with_sum ? "0\r\nX-Sum: t\r\n\r\n" : "0\r\n\r\n");
}

SimRequest draw_echo(Random& random) {
  const bool in_chunks = random.chance(500);
  const bool with_sum = in_chunks && random.chance(300);
  const std::string body = letters(random.below(random.chance(500) ? 60 : 6000));
  const auto path = [&]() -> std::string {
    switch (random.below(7)) {
      case 0: return "/echo-later/" + number(random.below(30));
      case 1: return "/parts";
      case 2: return "/both";
      case 3: return random.chance(300) ? "/drop" : "/parts";
      default: return "/echo";
    }
  }();
  SimRequest request;
  const bool asks = random.chance(200);
  std::string fields = in_chunks ? std::string(chunked_field) : length(body.size());
  if (asks) fields += "Expect: 100-continue\r\n";
  request.bytes = post(path, fields);
  if (asks && (in_chunks || !body.empty())) request.waits_at = request.bytes.size();
  request.bytes += in_chunks ? chunked(random, body, with_sum) : body;
  request.wanted = {.body = with_sum && path != "/both" ? body + "t" : body};
  request.wanted.answers_head = path == "/both";
  if (path == "/drop") request.wanted = {.body = "dropped", .may_close = true, .answers_head = true};
  return request;
}

/// What looks like a boundary, and is none.
std::string draw_data(Random& random) {
  static constexpr const char* like_boundaries[] = {
      "\r\n--sim-boundarx", "\r", "\r\n", "\r\n--", "--sim-boundary", "\r\r\n-\r\n--sim-boundar"};
  std::string data = letters(random.below(random.chance(700) ? 60 : 1500));
  if (random.chance(500)) data += like_boundaries[random.below(std::size(like_boundaries))];
  return random.chance(300) ? data + letters(random.below(30)) : data;
}

SimRequest draw_form(Random& random) {
  Wanted wanted{.body = "", .form = true};
  std::string body = random.chance(200) ? "passed over" : "";
  std::string before = body.empty() ? "" : "\r\n";  // Of the boundary's line.
  for (std::uint64_t left = random.below(5), part = 0; part < left; ++part) {
    const std::string name = random.chance(150) ? "skipped" : "part" + number(part);
    const std::string file = random.chance(400) ? "file" + number(part) : "";
    const std::string data = draw_data(random);
    body += before + "--sim-boundary\r\nContent-Disposition: form-data; name=\"" + name + "\"" +
            (file.empty() ? "" : "; filename=\"" + file + "\"") + "\r\n" +
            (random.chance(300) ? "Content-Type: text/plain\r\n" : "") + "\r\n" + data;
    before = "\r\n";
    if (name != "skipped") wanted.body += name + (file.empty() ? "" : "(" + file + ")") + "=" + data + ";";
  }
  body += before + "--sim-boundary";
  if (random.chance(100)) {
    wanted = {.status = 400, .body = "form: the closing boundary is missing", .form = true};
  } else {
    body += random.chance(200) ? "--\r\nbehind it" : "--\r\n";
  }
  const bool in_chunks = random.chance(500);
  SimRequest request;
  request.bytes = post("/form", (in_chunks ? std::string(chunked_field) : length(body.size())) +
                                    "Content-Type: multipart/form-data; boundary=sim-boundary\r\n");
  request.bytes += in_chunks ? chunked(random, body, false) : body;
  request.wanted = std::move(wanted);
  return request;
}

SimRequest draw_coded(Random& random) {
  const std::uint64_t size = random.below(random.chance(300) ? 300 : sim_reply_bytes_max);
  const bool asks = random.chance(800);
  const auto path = [&]() -> std::string {
    switch (random.below(3)) {
      case 0: return "/coded/whole/" + number(size);
      case 1: return "/coded/source/" + number(size);
      default: return "/coded/stream/" + number(size) + "/" + number(1 + size / 50 + random.below(2000));
    }
  }();
  Wanted wanted{.body = noise(size), .takes_gzip = asks};
  wanted.coded = asks && coding::is_built_in(http::Coding::gzip) && size >= 2 * sim_coded_bytes_min;
  return get(random, path, std::move(wanted), asks ? "Accept-Encoding: gzip\r\n" : "");
}

SimRequest draw_sum(Random& random) {
  const auto a = static_cast<std::int64_t>(random.below(1000));
  const auto b = static_cast<std::int64_t>(random.below(1000));
  const std::string body = "{\"a\": " + std::to_string(a) + ", \"b\": " + std::to_string(b) + "}";
  SimRequest request;
  request.bytes = post("/sum", length(body.size()) + "Content-Type: application/json\r\n") + body;
  request.wanted = {.body = "{\"sum\":" + std::to_string(a + b) + "}"};
  return request;
}

// What is answered with an error, and leaves the connection as it was.
SimRequest draw_harmless_error(Random& random) {
  switch (random.below(6)) {
    case 0: return get(random, "/nowhere", {404, "404 Not Found\n"});
    case 1: return get(random, "/n/x", {405, "405 Method Not Allowed\n"}, {}, "DELETE");
    case 2: return get(random, "/n/%zz", {400, "400 Bad Request\n"});
    case 3: return get(random, "/n/x", {501, "501 Not Implemented\n"}, {}, "BREW");
    case 4: return get(random, "/n/x", {417, "417 Expectation Failed\n"}, "Expect: coffee\r\n");
    default: return get(random, "/n/x", {204, ""}, {}, "OPTIONS");
  }
}

SimRequest draw_coroutine(Random& random, const std::string& name) {
  if (random.chance(300)) {
    return get(random, "/yield/" + number(random.below(6)) + "/" + name, {.body = name});
  }
  const std::string path = "/later/" + number(random.below(50)) + "/" + name;
  const bool named = random.chance(400);
  return get(random, path, {.body = name + "|" + path + "|" + (named ? "who" : "none")},
             named ? "X-Name: who\r\n" : "");
}

SimRequest draw_stream(Random& random) {
  const std::uint64_t size = random.below(random.chance(500) ? 200 : sim_reply_bytes_max);
  static constexpr const char* ways[] = {"chunks", "trailer", "length", "slow"};
  const std::uint64_t way = random.below(4);
  // At least a fiftieth: a slow one must come to its end within the time of its world.
  const std::uint64_t part = 1 + size / 50 + random.below(2000);
  const bool to_head = random.chance(100);
  const std::string path = std::string("/stream/") + ways[way] + "/" + number(size) + "/" + number(part);
  SimRequest request =
      get(random, path, {.body = letters(size), .to_head = to_head}, {}, to_head ? "HEAD" : "GET");
  request.wanted.in_chunks = way != 2;
  if (way == 1) request.wanted.trailers = "X-Sum: t\r\n";
  return request;
}

// The file's letters begin anew every 26 bytes.
SimRequest draw_file(Random& random) {
  const std::uint64_t first = 26 * random.below(10), size = random.below(sim_file_bytes - 260);
  return get(random, "/file/" + number(first) + "/" + number(size), {.body = letters(size)});
}

SimRequest draw_text(Random& random, const std::string& name) {
  switch (random.below(6)) {
    case 0: return get(random, "/say?what=%41+" + name, {.body = "A " + name + "|k"}, "Cookie: b=1; c=k\r\n");
    case 1: return get(random, "/fixed", {.body = "made at start"});
    case 2: return get(random, "/throw/" + name, {500, name});
    case 3: return get(random, "/n/%61" + name, {.body = "a" + name});
    case 4:
      // Nothing here speaks websocket: the field is ignored (RFC 9110 section 7.8).
      return get(random, "/n/" + name, {.body = name},
                 "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    default: return get(random, "/n/" + name, {.body = name});
  }
}

}  // namespace

void SimRequest::sign(std::size_t client) {
  constexpr std::string_view host = "Host: sim\r\n";
  const std::string signature = "X-Client: " + number(client) + "\r\n";
  const std::size_t at = bytes.find(host);
  if (at == std::string::npos) return;  // What is refused may have none.
  bytes.insert(at + host.size(), signature);
  if (waits_at != 0) waits_at += signature.size();
}

SimRequest draw_endless_request(Random& random, bool reads) {
  // For who reads it a stream without an end would take all of a world's time.
  return get(random, reads || random.chance(500) ? "/forever/x" : "/stream/endless/1000/1000", {});
}

SimRequest draw_request(Random& random, const std::string& name) {
  switch (random.below(14)) {
    case 0: return draw_coroutine(random, name);
    case 12: return draw_form(random);
    case 13: return draw_coded(random);
    case 11: return draw_file(random);
    case 1: {
      const std::uint64_t size = random.below(sim_reply_bytes_max);
      const char* path = random.chance(600) ? "/source/" : "/letters/";
      const bool to_head = random.chance(100);
      return get(random, path + number(size), {.body = letters(size), .to_head = to_head}, {},
                 to_head ? "HEAD" : "GET");
    }
    case 2:
    case 3: return draw_echo(random);
    case 4: return get(random, "/n/" + name, {.body = name, .to_head = true}, {}, "HEAD");
    case 5:
    case 6: return draw_stream(random);
    case 7: return random.chance(500) ? draw_sum(random) : draw_harmless_error(random);
    default: return draw_text(random, name);
  }
}

SimRequest draw_last_request(Random& random) {
  SimRequest request;
  const auto refused = [&](const std::string& bytes, unsigned status, const char* body) {
    request.bytes = bytes;
    request.wanted = {.status = status, .body = body, .close = true};
  };
  const std::string start = "GET /n/last HTTP/1.1\r\nHost: sim\r\n";
  switch (random.below(15)) {
    case 0: refused(start + "Content-Length: zero\r\n\r\n", 400, "400 Bad Request\n"); break;
    case 1: refused(start + length(3) + std::string(chunked_field) + "\r\n", 400, "400 Bad Request\n"); break;
    case 2:
      refused("GET /n/last HTTP/3.1\r\nHost: sim\r\n\r\n", 505, "505 HTTP Version Not Supported\n");
      break;
    case 3: refused("GET /n/last HTTP/1.1\r\n\r\n", 400, "400 Bad Request\n"); break;
    case 4:
      refused(start + "X-Long: " + std::string(sim_head_bytes_max, 'l') + "\r\n\r\n", 431,
              "431 Request Header Fields Too Large\n");
      break;
    case 5:
      refused(post("/echo", length(sim_body_bytes_max + 1)) + "some of it", 413, "413 Content Too Large\n");
      break;
    case 6:
      refused(post("/echo", std::string(chunked_field)) +
                  chunked(random, letters(sim_body_bytes_max + 1 + random.below(100)), false),
              413, "413 Content Too Large\n");
      break;
    case 7:
      refused(post("/echo", std::string(chunked_field)) + "3\r\nabcd\r\n", 400, "400 Bad Request\n");
      break;
    case 8:  // The body is not asked for, and so the message has no sure end.
      refused(post("/nowhere", length(4) + "Expect: 100-continue\r\n"), 404, "404 Not Found\n");
      return request;
    case 9:
      refused("GET /broken/" + number(random.below(3000)) + " HTTP/1.1\r\nHost: sim\r\n\r\n", 200, "");
      request.wanted.broken = true;
      return request;
    case 10: refused(start + "Connection: close\r\n\r\n", 200, "last"); break;
    case 11: {  // The reply says that it is the last before its request is whole.
      const std::string body = letters(1 + random.below(6000));
      refused(post("/both", length(body.size()) + "Connection: close\r\n") + body, 200, "");
      request.wanted.body = body;
      break;
    }
    case 12: refused("GET /n/last HTTP/1.0\r\n\r\n", 200, "last"); break;
    case 13: {  // Of a length that nobody knows, to who knows no chunks.
      const std::uint64_t size = random.below(sim_reply_bytes_max);
      refused("GET /stream/" + std::string(random.chance(500) ? "chunks/" : "slow/") + number(size) + "/" +
                  number(1 + size / 50 + random.below(2000)) + " HTTP/1.0\r\nHost: sim\r\n\r\n",
              200, "");
      request.wanted.body = letters(size);
      request.wanted.until_close = true;
      break;
    }
    default: refused("GET /close/last HTTP/1.1\r\nHost: sim\r\n\r\n", 200, "last"); break;
  }
  request.bytes += "GET /n/never HTTP/1.1\r\nHost: sim\r\n\r\n";
  return request;
}

}  // namespace millrace::test
