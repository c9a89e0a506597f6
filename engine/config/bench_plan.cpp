#include "engine/config/bench_plan.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <string_view>
#include <utility>

#include "engine/config/bench_url.hpp"
#include "engine/config/value.hpp"
#include "engine/ext/bench/messages.hpp"
#include "engine/ext/bench/request_tape.hpp"
#include "engine/http/char_class.hpp"
#include "engine/http/framing.hpp"
#include "engine/http/list.hpp"

namespace millrace::config {
namespace {

constexpr std::uint64_t connections_max = 100'000;
constexpr std::uint64_t pipeline_max = 1024;
constexpr std::uint64_t threads_max = 256;
constexpr std::uint64_t rate_max = 1'000'000'000;
constexpr std::uint64_t urls_max = 100'000;
constexpr std::uint64_t file_bytes_max = 64 << 20;   ///< Of a body, or of a list of URLs.
constexpr std::uint64_t tape_bytes_max = 256 << 20;  ///< Of all requests, as a thread keeps them ready.
constexpr std::uint64_t message_bytes_default = 64;
constexpr std::uint64_t message_bytes_max = 1 << 20;
constexpr unsigned message_kinds = 8;
constexpr TimeNs duration_default = 10 * ns_per_s;
constexpr TimeNs patience_default = 10 * ns_per_s;

/// Reads a file whole; false with a sentence.
bool read_file(const std::string& path, std::string& out, std::string& fault) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  char part[16384];
  for (std::size_t bytes = 1; file != nullptr && bytes != 0 && out.size() <= file_bytes_max;) {
    bytes = std::fread(part, 1, sizeof part, file.get());
    out.append(part, bytes);
  }
  if (file == nullptr || std::ferror(file.get()) != 0) {
    fault = fmt::format("cannot read {}: {}", path, std::strerror(errno));
  } else if (out.size() > file_bytes_max) {
    fault = fmt::format("{} is larger than {}", path, show_size(file_bytes_max));
  }
  return fault.empty();
}

/// Judges one flag after the other; stops at the first fault.
class Planner {
 public:
  Planner(const BenchFlags& flags, bench::Plan& plan) : flags_(flags), plan_(plan) {}

  BenchFault run() {
    const bool right = numbers() && durations() && statuses() && bodies() && method() && fields() &&
                       server() && tls() && (server_.websocket ? messages() : urls()) && fits();
    if (!right) return {fault_, false};
    if (!resolve()) return {fault_, true};
    return {};
  }

 private:
  bool wrong(std::string sentence) {
    fault_ = std::move(sentence);
    return false;
  }

  template <class T>
  bool number(const char* flag, const std::optional<std::string>& text, std::uint64_t least,
              std::uint64_t most, T& out) {
    if (!text) return true;
    const auto value = read_count(*text);
    if (!value || *value < least || *value > most)
      return wrong(fmt::format("{} `{}`: a number from {} to {} is wanted", flag, *text, least, most));
    out = static_cast<T>(*value);
    return true;
  }

  bool time(const char* flag, const std::optional<std::string>& text, TimeNs& out) {
    if (!text) return true;
    const auto value = read_duration_ms(*text);
    if (!value || *value == 0 || *value > 24ull * 3600 * 1000)
      return wrong(
          fmt::format("{} `{}`: a time up to a day with its unit is wanted, like 10s or 500ms", flag, *text));
    out = *value * ns_per_ms;
    return true;
  }

  bool numbers() {
    const bool right = number("--connections", flags_.connections, 1, connections_max, plan_.connections) &&
                       number("--pipeline", flags_.pipeline, 1, pipeline_max, plan_.pipeline) &&
                       number("--threads", flags_.threads, 1, threads_max, plan_.threads) &&
                       number("--count", flags_.count, 1, ~0ull >> 1, plan_.count) &&
                       number("--rate", flags_.rate, 1, rate_max, plan_.rate);
    if (!right) return false;
    if (plan_.threads > plan_.connections)
      return wrong(fmt::format("--threads {} is more than the {} connections: each thread needs one",
                               plan_.threads, plan_.connections));
    plan_.keep_alive = !flags_.no_keepalive;
    if (!plan_.keep_alive && plan_.pipeline != 1)
      return wrong(
          "--no-keepalive and --pipeline exclude each other: a connection has one request or several");
    return true;
  }

  bool durations() {
    plan_.duration = plan_.count == 0 ? duration_default : 0;
    plan_.patience = patience_default;
    return time("--duration", flags_.duration, plan_.duration) &&
           time("--timeout", flags_.timeout, plan_.patience);
  }

  bool statuses() {
    http::ListReader list(flags_.expect_status ? std::string_view(*flags_.expect_status) : "2xx,3xx");
    for (std::string_view one; list.next(one);) {
      const bool shape = one.size() == 3 && one[0] >= '1' && one[0] <= '5';
      const auto exact = read_count(one);
      if (!shape || (one.substr(1) != "xx" && !exact))
        return wrong(fmt::format(
            "--expect-status `{}`: wanted are statuses like 200 or 3xx, with commas between", one));
      for (unsigned i = 0; !exact && i != 100; ++i)
        plan_.expect.statuses.set(static_cast<unsigned>(one[0] - '0') * 100 + i);
      if (exact) plan_.expect.statuses.set(*exact);
    }
    return true;
  }

  bool bodies() {
    if (flags_.body && flags_.body->starts_with('@')) {
      if (!read_file(flags_.body->substr(1), body_, fault_)) return false;
    } else if (flags_.body) {
      body_ = *flags_.body;
    }
    if (flags_.expect_length) {
      std::uint64_t bytes = 0;
      if (!number("--expect-length", flags_.expect_length, 0, ~0ull >> 1, bytes)) return false;
      plan_.expect.body_bytes = bytes;
    }
    if (flags_.expect_body) {
      plan_.expect.body.emplace();
      return read_file(*flags_.expect_body, *plan_.expect.body, fault_);
    }
    return true;
  }

  bool method() {
    method_ = flags_.method.value_or(flags_.body ? "POST" : "GET");
    bool token = !method_.empty();
    for (const char byte : method_) token = token && http::is_class(byte, http::char_class::token);
    if (!token) return wrong(fmt::format("--method `{}` is no method: wanted is a word like GET", method_));
    plan_.method = http::method_from(method_);
    if (plan_.method == http::Method::connect)
      return wrong("--method CONNECT opens a tunnel: bench asks for answers");
    return true;
  }

  bool fields() {
    for (const std::string& line : flags_.headers) {
      const std::size_t colon = line.find(':');
      const std::string_view name = std::string_view(line).substr(0, colon);
      bool right = colon != line.npos && !name.empty();
      for (const char byte : name) right = right && http::is_class(byte, http::char_class::token);
      for (const char byte : line) right = right && !http::is_class(byte, http::char_class::control);
      if (!right) return wrong(fmt::format("--header `{}`: wanted is `Name: value`", line));
      for (const char* own : {"content-length", "transfer-encoding", "connection"})
        if (http::equal_ignoring_case(name, own))
          return wrong(fmt::format("--header `{}`: bench writes this field itself", line));
      host_given_ = host_given_ || http::equal_ignoring_case(name, "host");
      fields_ += line + "\r\n";
    }
    return true;
  }

  bool server() {
    if (!flags_.url) return wrong("bench: no URL; try --help");
    if (std::string fault = read_bench_url(*flags_.url, server_); !fault.empty())
      return wrong(std::move(fault));
    plan_.server = server_.host.empty() ? fmt::format("unix:{}", server_.socket_path) : server_.authority;
    return true;
  }

  bool tls() {
    if (!server_.tls && (flags_.cacert || flags_.insecure))
      return wrong("--cacert and --insecure are for https:// and wss:// alone");
    if (flags_.cacert && flags_.insecure) return wrong("--cacert and --insecure exclude each other");
    if (server_.tls)
      plan_.tls = {.host = server_.host, .ca_file = flags_.cacert.value_or(""), .verify = !flags_.insecure};
    return true;
  }

  /// What is sent on a WebSocket: texts of one length, of which those that follow each other differ.
  bool messages() {
    for (const auto& [given, flag] :
         {std::pair{flags_.method.has_value(), "--method"}, std::pair{flags_.body.has_value(), "--body"},
          std::pair{flags_.urls.has_value(), "--urls"},
          std::pair{flags_.expect_status.has_value(), "--expect-status"},
          std::pair{flags_.expect_length.has_value(), "--expect-length"},
          std::pair{flags_.expect_body.has_value(), "--expect-body"},
          std::pair{flags_.no_keepalive, "--no-keepalive"}})
      if (given) return wrong(fmt::format("{} is for HTTP: a WebSocket echoes --message-bytes N", flag));
    std::uint64_t bytes = message_bytes_default;
    if (!number("--message-bytes", flags_.message_bytes, 1, message_bytes_max, bytes)) return false;
    std::random_device random;
    const std::string key = bench::random_key(random);
    plan_.websocket = {.request = bench::opening_request(server_.target, host_line() + fields_, key),
                       .accept = bench::accept_of(key)};
    for (unsigned kind = 0; kind != message_kinds; ++kind) {
      const std::string text = bench::message_text(bytes, kind);
      plan_.requests.push_back({server_.target, bench::text_frame(text, random()), text});
    }
    return true;
  }

  bool urls() {
    if (flags_.message_bytes) return wrong("--message-bytes is for ws:// and wss:// alone");
    if (flags_.urls) return read_urls(*flags_.urls);
    add(server_.target);
    return true;
  }

  bool fits() {
    const std::uint64_t bytes = bench::RequestTape::bytes_of(plan_);
    if (bytes > tape_bytes_max)
      return wrong(
          fmt::format("the requests need {} of memory, more than {}: fewer, smaller or less pipelined ones",
                      show_size(bytes), show_size(tape_bytes_max)));
    return true;
  }

  bool read_urls(const std::string& path) {
    std::string text;
    if (!read_file(path, text, fault_)) return false;
    std::size_t number = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      std::string_view line = std::string_view(text).substr(at, end - at);
      at = end + 1;
      ++number;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty() || line.starts_with('#')) continue;
      BenchUrl url = server_;
      std::string fault = line.starts_with('/') ? check_target(line) : read_bench_url(line, url);
      if (fault.empty() && !url.same_server(server_))
        fault = fmt::format("`{}` is on another server than {}", line, plan_.server);
      if (fault.empty() && plan_.requests.size() == urls_max)
        fault = fmt::format("more than {} URLs", urls_max);
      if (!fault.empty()) return wrong(fmt::format("{}:{}: {}", path, number, fault));
      add(line.starts_with('/') ? std::string(line) : url.target);
    }
    return plan_.requests.empty() ? wrong(fmt::format("{} holds no URL", path)) : true;
  }

  std::string host_line() const {
    return host_given_ ? std::string() : fmt::format("Host: {}\r\n", server_.authority);
  }

  void add(const std::string& target) {
    std::string head = fmt::format("{} {} HTTP/1.1\r\n", method_, target) + host_line() + fields_;
    if (!plan_.keep_alive) head += "Connection: close\r\n";
    if (flags_.body) head += fmt::format("Content-Length: {}\r\n", body_.size());
    plan_.requests.push_back({target, head + "\r\n" + body_});
  }

  bool resolve() {
    if (server_.host.empty()) {
      bench::Endpoint endpoint;
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      server_.socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
      std::memcpy(&endpoint.address, &address, sizeof address);
      endpoint.address_bytes = sizeof address;
      plan_.endpoints.push_back(endpoint);
      return true;
    }
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failed =
        ::getaddrinfo(server_.host.c_str(), std::to_string(server_.port).c_str(), &hints, &found);
    if (failed != 0)
      return wrong(fmt::format("the name {} has no address: {}", server_.host, ::gai_strerror(failed)));
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, &::freeaddrinfo);
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
      bench::Endpoint endpoint;
      std::memcpy(&endpoint.address, one->ai_addr, one->ai_addrlen);
      endpoint.address_bytes = one->ai_addrlen;
      plan_.endpoints.push_back(endpoint);
    }
    return true;
  }

  const BenchFlags& flags_;
  bench::Plan& plan_;
  BenchUrl server_;
  std::string method_, fields_, body_, fault_;
  bool host_given_ = false;
};

}  // namespace

BenchFault make_plan(const BenchFlags& flags, bench::Plan& plan) { return Planner(flags, plan).run(); }

}  // namespace millrace::config
