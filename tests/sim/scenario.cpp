#include "tests/sim/scenario.hpp"

#include <algorithm>
#include <charconv>

namespace millrace::test {
namespace {

using io::sim::Client;
using io::sim::FaultPlan;
using io::sim::Random;

constexpr TimeNs wall_start = 1'700'000'000 * ns_per_s;
constexpr TimeNs lifetime = 20 * ns_per_s;
constexpr TimeNs long_grace = 5 * ns_per_s;  ///< Nobody who reads needs longer.

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

/// The client does not wait for what it is owed.
bool leaves(Ending ending) noexcept {
  return ending == Ending::close_early || ending == Ending::reset || ending == Ending::never_read;
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
      mode_(mode_of(random_)),
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

Mode Scenario::mode_of(Random& random) {
  Mode mode;
  mode.tight_memory = random.chance(150);
  mode.few_connections = random.chance(150);
  mode.short_timeouts = random.chance(250);
  mode.drains = random.chance(250);
  mode.drain_after = random.below(40 * ns_per_ms);
  mode.grace = random.chance(500) ? long_grace : random.below(60 * ns_per_ms);
  return mode;
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
  options.http.wall_clock = []() noexcept { return wall_start; };
  options.http.pipeline_max = 1 + static_cast<std::uint32_t>(random.below(8));
  options.http.output_bytes_max = 256u << random.below(9);
  options.http.exchanges_max = 1024;
  options.connections_max = 64;
  options.memory_bytes_max = 64u << 20;
  if (mode_.tight_memory) options.memory_bytes_max = 4096u << random.below(7);
  if (mode_.few_connections) options.connections_max = 1 + static_cast<std::uint32_t>(random.below(3));
  if (mode_.short_timeouts) {
    options.http.header_ns = 2 * ns_per_s;
    options.http.body_idle_ns = ns_per_s;
    options.http.write_idle_ns = ns_per_s;
    options.http.keepalive_ns = 2 * ns_per_s;
  }
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
      script.bytes += "POST /echo HTTP/1.1\r\nHost: sim\r\nContent-Length: " + std::to_string(body.size()) +
                      "\r\n\r\n" + body;
      return script.wanted.push_back({200, body});
    }
    case 3: {
      const std::string body = letters(random.below(3000));
      script.bytes +=
          "POST /echo HTTP/1.1\r\nHost: sim\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(random, body);
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
  if (mode_.short_timeouts && random.chance(400)) script.ending = Ending::stall;
  const std::size_t count = 1 + random.below(12);
  for (std::size_t i = 0; i < count; ++i) {
    add_request(random, script, i);
    script.ends.push_back(script.bytes.size());
  }
  if (script.ending == Ending::stall) stall(random, script);
  if (script.ending == Ending::bad_request) {
    script.bytes +=
        "GET / HTTP/1.1\r\nHost: sim\r\nContent-Length: zero\r\n\r\nGET /n/never HTTP/1.1\r\nHost: "
        "sim\r\n\r\n";
    script.wanted.push_back({400, "bad_content_length"});
  }
  if (script.ending == Ending::close_field) {
    // By the request, or by its handler: nothing behind either is run.
    script.bytes += random.chance(500) ? "GET /n/last HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n\r\n"
                                       : "GET /close/it HTTP/1.1\r\nHost: sim\r\n\r\n";
    script.wanted.push_back(
        {200, script.bytes.find("/close/it") == std::string::npos ? "/n/last" : "/close/it"});
    script.bytes += "GET /n/never HTTP/1.1\r\nHost: sim\r\n\r\n";
  }
  return script;
}

// Stops somewhere: between two requests, or inside one, which is answered by 408.
void Scenario::stall(Random& random, Script& script) {
  const std::size_t cut = random.chance(200) ? script.ends[random.below(script.ends.size())]
                                             : 1 + random.below(script.bytes.size());
  script.bytes.resize(cut);
  std::size_t whole = 0;
  while (whole < script.ends.size() && script.ends[whole] <= cut) ++whole;
  script.wanted.resize(whole);
  if (whole == 0 || script.ends[whole - 1] != cut)
    script.wanted.push_back({408, std::string(name_of(Errc::timeout))});
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
      world_.after(time, [client]() mutable {
        if (!client.ended()) client.half_close();
      });
      break;
    case Ending::close_early:
      world_.after(soon, [client]() mutable {
        if (!client.ended()) client.close();
      });
      break;
    case Ending::reset:
      world_.after(soon, [client]() mutable {
        if (!client.ended()) client.reset();
      });
      break;
    case Ending::stay:
    case Ending::bad_request:
    case Ending::close_field:
    case Ending::never_read:
    case Ending::stall: break;
  }
}

// The core's own answer to a connection too many: nothing of its requests is looked at.
bool Scenario::refused(Client client) const {
  return mode_.few_connections &&
         client.received().starts_with("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n");
}

// The replies are the right ones, whole, in order, each once; `all`: and none is missing.
std::string Scenario::check_replies(const Script& script, Client client, bool all) {
  std::string_view wire = client.received();
  std::size_t count = 0;
  for (const Wanted& wanted : script.wanted) {
    unsigned status = 0;
    std::string body;
    bool close = false;
    // Refused before its head was whole, nobody knows that it was HEAD.
    const bool head = wanted.head && !wire.starts_with("HTTP/1.1 503");
    if (!take_reply(wire, head, status, body, close)) break;
    ++count;
    if (mode_.tight_memory && status == 503) {
      ++met_.no_memory;
      if (close) break;
      continue;
    }
    if (status != wanted.status || body != wanted.body) {
      return "reply " + std::to_string(count) + " is " + std::to_string(status) + " with " +
             std::to_string(body.size()) + " bytes, wanted " + std::to_string(wanted.status) + " with " +
             std::to_string(wanted.body.size());
    }
    met_.timed_out += status == 408;
    if (mode_.drains && close) break;
  }
  met_.replies += count;
  if (count == script.wanted.size() && !wire.empty())
    return "bytes behind the last reply: " + std::string(wire.substr(0, 60));
  if (all && count != script.wanted.size()) {
    return std::to_string(count) + " replies of " + std::to_string(script.wanted.size()) + ", then " +
           std::to_string(wire.size()) + " bytes of a cut one";
  }
  if (leaves(script.ending) || wire.empty()) return {};
  if (!client.eof() && !client.was_reset()) return "a reply is cut on a connection that is open";
  if (mode_.drains && !mode_.tight_memory) {
    if (mode_.grace == long_grace) return "a reply was cut although the grace was long";
    ++met_.cut_by_grace;
  }
  return {};
}

std::string Scenario::check_end(const Script& script, Client client) {
  const bool closed = client.eof() || client.was_reset();
  if (mode_.drains || mode_.short_timeouts) {
    return closed || leaves(script.ending) ? "" : "the connection was not closed";
  }
  switch (script.ending) {
    case Ending::half_close:
    case Ending::bad_request:
    case Ending::close_field: return closed ? "" : "the connection was not closed";
    case Ending::stay: return closed && !mode_.tight_memory ? "a connection was closed that should stay" : "";
    case Ending::close_early:
    case Ending::reset:
    case Ending::never_read:
    case Ending::stall: return {};
  }
  return {};
}

std::string Scenario::check(const Script& script, Client client) {
  if (refused(client)) {
    ++met_.refused;
    if (leaves(script.ending)) return {};
    std::string_view wire = client.received();
    unsigned status = 0;
    std::string body;
    bool close = false;
    if (!take_reply(wire, false, status, body, close) || !close || !wire.empty())
      return "the refusal is not whole";
    return client.eof() || client.was_reset() ? "" : "a refused connection stays open";
  }
  if (mode_.few_connections && !client.accepted()) {
    return client.received().empty() ? "" : "bytes on a connection that was not accepted";
  }
  const bool all = !leaves(script.ending) && !mode_.tight_memory && !mode_.drains;
  std::string wrong = check_replies(script, client, all);
  if (wrong.empty() && all && client.was_reset()) wrong = "a client that was good was reset";
  return wrong.empty() ? check_end(script, client) : wrong;
}

// Until the end of the world's time, or the drain.
std::string Scenario::live() {
  const TimeNs until = world_.now() + (mode_.drains ? mode_.drain_after : lifetime);
  std::size_t turns = 0;
  while (world_.now() < until) {
    core_.turn(until);
    if (++turns > 200'000) return "the core spins: 200,000 turns in 20 simulated seconds";
    if (core_.pool().bytes_used() > 32u << 20) return "memory is not bounded";
  }
  return {};
}

// Done when everything is done, and never later than the grace says.
std::string Scenario::drain() {
  ++met_.drained;
  const TimeNs latest = world_.now() + mode_.grace + 100 * ns_per_ms;
  core_.request_stop(mode_.grace);
  for (std::size_t turns = 0; !core_.done(); ++turns) {
    if (world_.now() > latest) return "the core did not stop when its grace had passed";
    if (turns > 200'000) return "the core spins while it drains";
    core_.turn(latest + 1);
  }
  // What is on the wire still arrives: nobody waits on it but the clients.
  for (int i = 0; i < 1000; ++i) core_.turn(world_.now() + ns_per_ms);
  return {};
}

std::string Scenario::stop() {
  if (!core_.done()) core_.request_stop(ns_per_s);
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

std::string Scenario::run() {
  const io::Descriptor listener = world_.listen();
  core_.listen(listener);
  const std::size_t count = 1 + random_.below(6);
  for (std::size_t i = 0; i < count; ++i) {
    scripts_.push_back(write_script(random_));
    clients_.push_back(world_.connect(listener));
    play(clients_.back(), scripts_.back());
  }
  std::string wrong = live();
  if (wrong.empty() && mode_.drains) wrong = drain();
  for (std::size_t i = 0; i < count && wrong.empty(); ++i) {
    wrong = check(scripts_[i], clients_[i]);
    if (!wrong.empty()) {
      wrong = "client " + std::to_string(i) + " (ending " +
              std::to_string(static_cast<int>(scripts_[i].ending)) + "): " + wrong;
    }
  }
  return wrong.empty() ? stop() : wrong;
}

}  // namespace millrace::test
