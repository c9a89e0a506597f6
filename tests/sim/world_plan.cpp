#include "tests/sim/world_plan.hpp"

#include <algorithm>
#include <charconv>

#include "tests/sim/sim_socket.hpp"

namespace millrace::test {
namespace {

using io::sim::FaultPlan;
using io::sim::Random;

constexpr TimeNs wall_start = 1'700'000'000 * ns_per_s;

/// Each part has numbers of its own, so that leaving out one does not change another.
constexpr Random random_of(std::uint64_t seed, std::uint64_t part) noexcept {
  return Random(io::sim::mix(seed) ^ io::sim::mix(part));
}

/// Modes as bits of Kept::modes.
enum ModeBit : unsigned {
  tight,
  few,
  timeouts,
  drain,
  small_rings,
  pieces,
  pauses,
  windows,
  cores,
  secure,
  sockets,
  kernel
};

bool has(Kept::Bits bits, std::size_t bit) noexcept { return (bits >> bit & 1) != 0; }

Mode draw_mode(Random random, Kept::Bits kept) {
  Mode mode;
  mode.tight_memory = random.chance(150) && has(kept, tight);
  mode.few_connections = random.chance(150) && has(kept, few);
  mode.short_timeouts = random.chance(250) && has(kept, timeouts);
  mode.drains = random.chance(250) && has(kept, drain);
  mode.drain_after = random.below(40 * ns_per_ms);
  mode.grace = random.chance(500) ? long_grace : random.below(60 * ns_per_ms);
  if (random.chance(150) && has(kept, cores)) mode.cores = 2 + random.below(2);
  mode.secure = random.chance(100) && has(kept, secure);
  mode.kernel_seals = random.chance(600) && has(kept, kernel) && mode.secure;
  return mode;
}

FaultPlan draw_faults(Random random, Kept::Bits kept) {
  FaultPlan plan = FaultPlan::drawn(random);
  plan.reset = 0;  // The clients reset by themselves, so that it is known who must hear everything.
  plan.slow_reader_bytes = 1000 + static_cast<std::uint32_t>(random.below(4000));
  plan.send_buffer_bytes = 1u << (9 + random.below(8));
  std::uint32_t* const chances[] = {&plan.short_receive,   &plan.short_send,     &plan.split_write,
                                    &plan.late_completion, &plan.no_buffers,     &plan.multishot_end,
                                    &plan.hangup_end,      &plan.accept_failure, &plan.late_cancel,
                                    &plan.partial_wait,    &plan.overflow,       &plan.slow_reader};
  for (unsigned i = 0; i < std::size(chances); ++i) {
    if (!has(kept, i)) *chances[i] = 0;
  }
  static_assert(std::size(chances) + 1 == Kept::fault_kinds);
  if (!has(kept, std::size(chances))) plan.latency_max_ns = 0;
  return plan;
}

io::BackendOptions draw_rings(Random random, Kept::Bits kept) {
  io::BackendOptions rings;
  rings.queue_entries = 64;
  rings.completion_entries = 256;
  rings.buffers = has(kept, small_rings) ? 1u << random.below(6) : 64;
  rings.buffer_bytes = has(kept, small_rings) ? 1u << (6 + random.below(7)) : 4096;
  return rings;
}

serve::CoreOptions draw_core(Random random, const Mode& mode) {
  serve::CoreOptions options;
  options.http.isa = random.chance(500) ? http::Isa::scalar : http::choose_isa().value();
  options.http.wall_clock = []() noexcept { return wall_start; };
  options.http.pipeline_max = 1 + static_cast<std::uint32_t>(random.below(8));
  options.http.output_bytes_max = 256u << random.below(9);
  options.http.exchanges_max = 1024;
  options.http.upload_bytes_max = 256u << random.below(6);
  options.http.body_bytes_max = sim_body_bytes_max;
  options.http.head.bytes_max = sim_head_bytes_max;
  options.connections_max = 64;
  options.memory_bytes_max = 64u << 20;
  if (mode.tight_memory) options.memory_bytes_max = 4096u << random.below(7);
  if (mode.few_connections) options.connections_max = 1 + static_cast<std::uint32_t>(random.below(3));
  if (mode.short_timeouts) {
    options.http.header_ns = 2 * ns_per_s;
    options.http.body_idle_ns = ns_per_s;
    options.http.write_idle_ns = ns_per_s;
    options.http.keepalive_ns = 2 * ns_per_s;
  }
  return options;
}

void draw_requests(Random& random, ClientPlan& client) {
  const std::size_t count = 1 + random.below(12);
  while (client.requests.size() < count) {
    const std::string name =
        std::to_string(client.requests.size()) + "-" + std::to_string(random.below(1000));
    const SimRequest request = draw_request(random, name);
    // Heads that repeat have a way of their own through the engine.
    const std::size_t times = random.chance(200) ? 1 + random.below(6) : 1;
    client.requests.insert(client.requests.end(), times, request);
  }
}

ClientPlan draw_client(Random random, std::size_t number, const Mode& mode, Kept::Bits modes,
                       Kept::Bits requests) {
  ClientPlan client;
  client.number = number;
  draw_requests(random, client);
  client.ending = static_cast<Ending>(random.below(6));
  if (mode.short_timeouts && random.chance(400)) client.ending = Ending::stall;
  client.whole = random.chance(300) || !has(modes, pieces);
  client.window = random.chance(600) ? 0 : 1 + random.below(3);
  if (client.ending == Ending::stall || !has(modes, windows)) client.window = 0;
  client.connects_after = random.chance(700) ? 0 : random.below(20 * ns_per_ms);
  client.leaves_after = random.below(20 * ns_per_ms);
  if (random.chance(300) && has(modes, pauses)) {
    client.pauses_after = random.below(20 * ns_per_ms);
    client.pauses_for = 1 + random.below(400 * ns_per_ms);
  }
  client.cut = random.next();
  client.seed = random.next();
  if (client.ending == Ending::last_request) client.requests.push_back(draw_last_request(random));
  const bool opens_socket =
      random.chance(mode.cores > 1 ? 600 : 200) && client.ending != Ending::last_request;
  if (opens_socket && has(modes, sockets)) {
    client.requests.push_back(draw_socket_request(random, number));
  } else if (client.leaves() && random.chance(300)) {
    client.requests.push_back(draw_endless_request(random, client.ending != Ending::never_read));
  }
  client.secure = mode.secure && random.chance(700);
  client.old_tls = random.chance(300);
  for (SimRequest& request : client.requests) request.sign(number);

  std::vector<SimRequest> left;
  for (std::size_t i = 0; i < client.requests.size(); ++i) {
    if (has(requests, std::min<std::size_t>(i, Kept::requests_max - 1)))
      left.push_back(std::move(client.requests[i]));
  }
  client.requests = std::move(left);
  if (client.ending == Ending::last_request &&
      (client.requests.empty() || !client.requests.back().wanted.close))
    client.ending = Ending::stay;
  return client;
}

std::string hex(std::uint64_t value) {
  char digits[20];
  return {digits, std::to_chars(digits, digits + 20, value, 16).ptr};
}

}  // namespace

const char* name_of(Ending ending) noexcept {
  switch (ending) {
    case Ending::half_close: return "half-closes";
    case Ending::stay: return "stays";
    case Ending::close_early: return "closes early";
    case Ending::reset: return "resets";
    case Ending::last_request: return "sends a last request";
    case Ending::never_read: return "never reads";
    case Ending::stall: return "stalls";
  }
  return "?";
}

std::string Kept::text() const {
  std::string text = hex(clients) + "/" + hex(faults) + "/" + hex(modes) + "/";
  for (std::size_t i = 0; i < requests.size(); ++i) text.append(i == 0 ? "" : ".").append(hex(requests[i]));
  return text;
}

std::optional<Kept> Kept::read(std::string_view text) {
  Kept kept;
  const auto take = [&](Bits& bits, char behind) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits, 16);
    if (error != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (behind == '\0') return text.empty();
    if (!text.starts_with(behind)) return false;
    text.remove_prefix(1);
    return true;
  };
  if (!take(kept.clients, '/') || !take(kept.faults, '/') || !take(kept.modes, '/')) return std::nullopt;
  for (std::size_t i = 0; i < clients_max; ++i) {
    if (!take(kept.requests[i], i + 1 < clients_max ? '.' : '\0')) return std::nullopt;
  }
  return kept;
}

WorldPlan draw_world(std::uint64_t seed, const Kept& kept) {
  WorldPlan plan;
  plan.seed = seed;
  plan.faulty = seed % 8 != 0;
  plan.mode = draw_mode(random_of(seed, 1), kept.modes);
  if (plan.faulty) plan.faults = draw_faults(random_of(seed, 2), kept.faults);
  plan.rings = draw_rings(random_of(seed, 3), kept.modes);
  plan.core = draw_core(random_of(seed, 4), plan.mode);
  const std::size_t count = 1 + random_of(seed, 5).below(Kept::clients_max);
  for (std::size_t i = 0; i < count; ++i) {
    if (!has(kept.clients, i)) continue;
    plan.clients.push_back(draw_client(random_of(seed, 6 + i), i, plan.mode, kept.modes, kept.requests[i]));
  }
  return plan;
}

std::string describe(const WorldPlan& plan) {
  std::string text;
  const auto say = [&](const char* what, std::uint64_t value) {
    if (value != 0) text += std::string(" ") + what + "=" + std::to_string(value);
  };
  for (const ClientPlan& client : plan.clients) {
    text += "  a client that " + std::string(name_of(client.ending)) + ":";
    say("window", client.window);
    say("pauses_ms", client.pauses_for / ns_per_ms);
    if (client.secure) text += client.old_tls ? " TLS 1.2" : " TLS 1.3";
    text += client.whole ? " whole\n" : " in pieces\n";
    for (const SimRequest& request : client.requests) {
      text +=
          "    " + std::string(request.line()) + " (" + std::to_string(request.bytes.size()) + " bytes)\n";
    }
  }
  text += "  faults in 1000:";
  say("short_receive", plan.faults.short_receive);
  say("short_send", plan.faults.short_send);
  say("split_write", plan.faults.split_write);
  say("late_completion", plan.faults.late_completion);
  say("no_buffers", plan.faults.no_buffers);
  say("multishot_end", plan.faults.multishot_end);
  say("hangup_end", plan.faults.hangup_end);
  say("accept_failure", plan.faults.accept_failure);
  say("late_cancel", plan.faults.late_cancel);
  say("partial_wait", plan.faults.partial_wait);
  say("overflow", plan.faults.overflow);
  say("slow_reader", plan.faults.slow_reader);
  text += "\n  world:";
  if (plan.mode.cores > 1) say("cores", plan.mode.cores);
  say("latency_us", plan.faults.latency_max_ns / 1000);
  say("send_buffer_bytes", plan.faults.send_buffer_bytes);
  say("buffers", plan.rings.buffers);
  say("buffer_bytes", plan.rings.buffer_bytes);
  say("memory_bytes", plan.core.memory_bytes_max);
  say("connections", plan.core.connections_max);
  say("pipeline", plan.core.http.pipeline_max);
  say("output_bytes", plan.core.http.output_bytes_max);
  say("short_timeouts", plan.mode.short_timeouts);
  if (plan.mode.drains) say("drain_after_us", plan.mode.drain_after / 1000 + 1);
  if (plan.mode.drains) say("grace_ms", plan.mode.grace / ns_per_ms + 1);
  return text + "\n";
}

}  // namespace millrace::test
