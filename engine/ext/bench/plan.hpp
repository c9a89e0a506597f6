// plan.hpp: what a run of the load generator does; pure data, judged where it was made (config/bench_plan).
#pragma once

#include <sys/socket.h>

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.hpp"
#include "engine/http/head.hpp"

namespace millrace::bench {

/// Where the server is. Several addresses where a name has several; the first that answers is taken.
struct Endpoint {
  sockaddr_storage address{};
  socklen_t address_bytes = 0;
};

/// A request, or a message on a WebSocket.
struct PlannedRequest {
  std::string target;     ///< For messages to people.
  std::string bytes;      ///< Head and body; or a whole frame.
  std::string echo = {};  ///< WebSocket: what it carries, and what must come back.
};

/// How the server is spoken to by TLS.
struct TlsPlan {
  std::string host;     ///< Told to the server, and expected in its certificate.
  std::string ca_file;  ///< Certificates that are trusted; empty: those of the system.
  bool verify = true;
};

/// How a WebSocket is opened.
struct OpeningPlan {
  std::string request;
  std::string accept;  ///< The value of Sec-WebSocket-Accept that must come.
};

/// What every answer is held to. Framing is checked in any case.
struct Expectation {
  std::bitset<600> statuses;  ///< Those that are right.
  std::optional<std::uint64_t> body_bytes;
  std::optional<std::string> body;
};

struct Plan {
  std::vector<Endpoint> endpoints;
  std::optional<TlsPlan> tls;
  std::optional<OpeningPlan> websocket;
  std::string server;  ///< For people: "127.0.0.1:8080", "unix:/run/a.sock".
  http::Method method = http::Method::get;
  std::vector<PlannedRequest> requests;  ///< Asked in turn, again and again; at least one.
  Expectation expect;
  std::uint32_t connections = 10;
  std::uint32_t pipeline = 1;  ///< Requests sent together on a connection; the next when all are answered.
  std::uint32_t threads = 1;
  TimeNs duration = 0;      ///< 0: until `count` requests were answered.
  std::uint64_t count = 0;  ///< 0: until the duration is over.
  std::uint64_t rate = 0;   ///< Requests a second, open loop; 0: closed loop.
  TimeNs patience = 0;      ///< Without any byte of an answer for so long, it is missing.
  bool keep_alive = true;   ///< False: a connection for every request.
};

}  // namespace millrace::bench
