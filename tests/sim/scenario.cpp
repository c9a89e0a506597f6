#include "tests/sim/scenario.hpp"

#include <algorithm>
#include <charconv>

namespace mr::test {
namespace {

using io::sim::Client;
using io::sim::FaultPlan;
using io::sim::Random;

constexpr TimeNs wall_start = 1'700'000'000 * ns_per_s;

std::string chunked(Random& random, const std::string& body) {
  std::string text;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t size = std::min<std::size_t>(body.size() - at, 1 + random.below(700));
    char digits[20];
    text.append(digits, std::to_chars(digits, digits + 20, size, 16).ptr);
    text += "\r\n" + body.substr(at, size) + "\r\n";
    at += size;
  }
  return text + (random.chance(200) ? "0\r\nX-Trailer: t\r\n\r\n" : "0\r\n\r\n");
}

/// Takes one reply off the front of `wire`; false when it is cut.
bool take_reply(std::string_view& wire, bool head, unsigned& status, std::string& body, bool& close) {
  const std::size_t end = wire.find("\r\n\r\n");
  if (end == std::string_view::npos || wire.size() < 12) return false;
  const std::string_view fields = wire.substr(0, end + 2);
  std::from_chars(wire.data() + 9, wire.data() + 12, status);
  close = fields.find("\r\nConnection: close\r\n") != std::string_view::npos;
  std::size_t size = 0;
  const std::size_t length = fields.find("\r\nContent-Length: ");
  if (length != std::string_view::npos) {
    std::from_chars(wire.data() + length + 18, wire.data() + end, size);
  }
  const std::size_t sent = head ? 0 : size;
  if (wire.size() - end - 4 < sent) return false;
  body = head ? std::string(size, '?') : std::string(wire.substr(end + 4, sent));
  wire.remove_prefix(end + 4 + sent);
  return true;
}

}  // namespace

Scenario::Scenario(std::uint64_t seed, bool faults)
    : faulty_(faults),
      random_(seed),
      world_(seed, plan_of(seed, faults), rings_of(random_)),
      core_(options_of(random_), world_.backend(), handler_) {
  handler_.scheduler = &core_.scheduler();
}

FaultPlan Scenario::plan_of(std::uint64_t seed, bool faults) {
  Random random(~seed);
  if (!faults) return {};
  FaultPlan plan = FaultPlan::drawn(random);
  plan.reset = 0;  // The scripts reset by themselves, so that it is known who must hear everything.
  plan.slow_reader = 0;
  plan.send_buffer_bytes = 1u << (9 + random.below(8));
  return plan;
}

io::BackendOptions Scenario::rings_of(Random& random) {
  io::BackendOptions rings;
  rings.queue_entries = 64;
  rings.completion_entries = 256;
  rings.buffers = 1u << random.below(6);
  rings.buffer_bytes = 1u << (6 + random.below(7));
  return rings;
}

serve::CoreOptions Scenario::options_of(Random& random) {
  serve::CoreOptions options;
  options.http.isa = http::Isa::scalar;
  options.http.wall_clock = [] () noexcept { return wall_start; };
  options.http.pipeline_max = 1 + static_cast<std::uint32_t>(random.below(8));
  options.http.output_bytes_max = 256u << random.below(9);
  options.http.exchanges_max = 1024;
  options.connections_max = 64;
  options.memory_bytes_max = 64u << 20;
  return options;
}

void Scenario::add_request(Random& random, Script& script, std::size_t number) {
  const std::string name = std::to_string(number) + "-" + std::to_string(random.below(1000));
  const auto get = [&](const std::string& path, const char* method = "GET") {
    script.bytes += std::string(method) + " " + path + " HTTP/1.1\r\nHost: sim\r\n";
    if (random.chance(300)) script.bytes += "X-Filler: " + std::string(random.below(400), 'f') + "\r\n";
    script.bytes += "\r\n";
  };
  switch (random.below(7)) {
    case 0: {
      const std::string path = "/later/" + std::to_string(random.below(50)) + "/" + name;
      get(path);
      return script.wanted.push_back({200, path});
    }
    case 1: {
      const std::size_t size = random.below(20'000);
      get("/source/" + std::to_string(size));
      return script.wanted.push_back({200, letters(size)});
    }
    case 2: {
      const std::string body = letters(random.below(6000));
      script.bytes += "POST /echo HTTP/1.1\r\nHost: sim\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
      return script.wanted.push_back({200, body});
    }
    case 3: {
      const std::string body = letters(random.below(3000));
      script.bytes += "POST /echo HTTP/1.1\r\nHost: sim\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(random, body);
      return script.wanted.push_back({200, body});
    }
    case 4: {
      const std::string path = "/n/head" + name;
      get(path, "HEAD");
      return script.wanted.push_back({200, std::string(path.size(), '?'), true});
    }
    default: {
      get("/n/" + name);
      return script.wanted.push_back({200, "/n/" + name});
    }
  }
}

Script Scenario::write_script(Random& random) {
  Script script;
  script.ending = static_cast<Ending>(random.below(7));
  const std::size_t count = 1 + random.below(12);
  for (std::size_t i = 0; i < count; ++i) add_request(random, script, i);
  if (script.ending == Ending::bad_request) {
    script.bytes += "GET / HTTP/1.1\r\nHost: sim\r\nContent-Length: zero\r\n\r\nGET /n/never HTTP/1.1\r\nHost: sim\r\n\r\n";
    script.wanted.push_back({400, "bad_content_length"});
  }
  if (script.ending == Ending::close_field) {
    script.bytes += "GET /n/last HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n\r\nGET /n/never HTTP/1.1\r\nHost: sim\r\n\r\n";
    script.wanted.push_back({200, "/n/last"});
  }
  return script;
}

// The bytes in pieces, some time apart, and then the ending.
void Scenario::play(Client client, const Script& script) {
  TimeNs time = 0;
  std::string_view rest = script.bytes;
  const bool whole = random_.chance(300);
  while (!rest.empty()) {
    const std::size_t size = whole ? rest.size() : std::min<std::size_t>(rest.size(), 1 + random_.below(600));
    world_.after(time, [client, piece = std::string(rest.substr(0, size))]() mutable {
      if (!client.ended()) client.write(piece);
    });
    rest.remove_prefix(size);
    time += random_.below(3 * ns_per_ms);
  }
  if (script.ending == Ending::never_read) client.set_reading(false);
  const TimeNs soon = random_.below(time + ns_per_ms);
  switch (script.ending) {
    case Ending::half_close:
      world_.after(time, [client]() mutable { if (!client.ended()) client.half_close(); });
      break;
    case Ending::close_early:
      world_.after(soon, [client]() mutable { if (!client.ended()) client.close(); });
      break;
    case Ending::reset:
      world_.after(soon, [client]() mutable { if (!client.ended()) client.reset(); });
      break;
    case Ending::stay:
    case Ending::bad_request:
    case Ending::close_field:
    case Ending::never_read: break;
  }
}

// The replies are the right ones, whole, in order, each once; `all`: and none is missing.
std::string Scenario::check(const Script& script, Client client, bool all) {
  std::string_view wire = client.received();
  std::size_t count = 0;
  for (const Wanted& wanted : script.wanted) {
    unsigned status = 0;
    std::string body;
    bool close = false;
    if (!take_reply(wire, wanted.head, status, body, close)) break;
    ++count;
    if (status != wanted.status || body != wanted.body) {
      return "reply " + std::to_string(count) + " is " + std::to_string(status) + " with " + std::to_string(body.size()) +
             " bytes, wanted " + std::to_string(wanted.status) + " with " + std::to_string(wanted.body.size());
    }
  }
  replies_ += count;
  if (count == script.wanted.size() && !wire.empty()) return "bytes behind the last reply: " + std::string(wire.substr(0, 60));
  if (all && count != script.wanted.size()) {
    return std::to_string(count) + " replies of " + std::to_string(script.wanted.size()) + ", then " +
           std::to_string(wire.size()) + " bytes of a cut one";
  }
  return {};
}

std::string Scenario::run() {
  const io::Descriptor listener = world_.listen();
  core_.listen(listener);
  std::vector<Script> scripts;
  std::vector<Client> clients;
  const std::size_t count = 1 + random_.below(6);
  for (std::size_t i = 0; i < count; ++i) {
    scripts.push_back(write_script(random_));
    clients.push_back(world_.connect(listener));
    play(clients.back(), scripts.back());
  }

  const TimeNs until = world_.now() + 20 * ns_per_s;
  std::size_t turns = 0;
  while (world_.now() < until) {
    core_.turn(until);
    if (++turns > 200'000) return "the core spins: 200,000 turns in 20 simulated seconds";
    if (core_.pool().bytes_used() > 32u << 20) return "memory is not bounded";
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Ending ending = scripts[i].ending;
    const bool all = ending != Ending::close_early && ending != Ending::reset && ending != Ending::never_read;
    std::string wrong = check(scripts[i], clients[i], all);
    if (wrong.empty() && all && clients[i].was_reset()) wrong = "a client that was good was reset";
    const bool ends = ending == Ending::half_close || ending == Ending::bad_request || ending == Ending::close_field;
    if (wrong.empty() && ends && !clients[i].eof()) wrong = "the connection was not closed";
    if (wrong.empty() && ending == Ending::stay && clients[i].eof()) wrong = "a connection was closed that should stay";
    if (!wrong.empty()) return "client " + std::to_string(i) + " (ending " + std::to_string(static_cast<int>(ending)) + "): " + wrong;
  }

  core_.request_stop(ns_per_s);
  for (std::size_t i = 0; !core_.done(); ++i) {
    if (i > 100'000) return "the core does not stop";
    core_.turn(world_.now() + ns_per_s);
  }
  if (!world_.clean()) return "a descriptor, an operation or a buffer was leaked";
  if (core_.pool().bytes_used() != 0) return "blocks were leaked";
  if (handler_.coroutines_live != 0) return "a coroutine was leaked";
  if (handler_.sources_live != 0) return "a body source was leaked";
  return {};
}

}  // namespace mr::test
