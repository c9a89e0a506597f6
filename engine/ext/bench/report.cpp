#include "engine/ext/bench/report.hpp"

#include <millrace/detail/json_write.hpp>
#include <millrace/json_fields.hpp>

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <map>

namespace millrace::bench {
namespace {

struct Percentile {
  std::uint32_t per_100k;
  const char* name;
};
constexpr std::array percentiles = {Percentile{50'000, "p50"},   Percentile{75'000, "p75"},
                                    Percentile{90'000, "p90"},   Percentile{99'000, "p99"},
                                    Percentile{99'900, "p99.9"}, Percentile{99'990, "p99.99"}};

struct LatencyRecord {
  double min, mean, deviation, max;
  std::map<std::string, double> percentiles;
};
MR_JSON(LatencyRecord, min, mean, deviation, max, percentiles)

struct FaultRecord {
  std::string what;
  std::uint64_t times;
};
MR_JSON(FaultRecord, what, times)

struct Record {
  std::string server, protocol, loop;
  std::uint32_t connections, pipeline, threads;
  bool keep_alive, interrupted;
  std::uint64_t rate_wanted;
  double seconds;
  std::uint64_t answered, wrong, connected, received_bytes;
  double requests_per_second;
  std::uint64_t backlog_max, unsent;
  double user_seconds, system_seconds;
  std::map<std::string, std::uint64_t> statuses;
  LatencyRecord latency_us;
  std::vector<FaultRecord> faults;
};
MR_JSON(Record, server, protocol, loop, connections, pipeline, threads, keep_alive, interrupted, rate_wanted,
        seconds, answered, wrong, connected, received_bytes, requests_per_second, backlog_max, unsent,
        user_seconds, system_seconds, statuses, latency_us, faults)

double seconds_of(const Tally& tally) {
  return static_cast<double>(tally.ended - tally.began) / static_cast<double>(ns_per_s);
}

double per_second(std::uint64_t count, const Tally& tally) {
  const double seconds = seconds_of(tally);
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double microseconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1000; }

std::string statuses_of(const Tally& tally) {
  std::string line;
  for (std::size_t status = 0; status != tally.statuses.size(); ++status)
    if (tally.statuses[status] != 0)
      line += fmt::format("{}{}: {}", line.empty() ? "" : ", ", status, tally.statuses[status]);
  return line;
}

const char* protocol_of(const Plan& plan) {
  if (plan.websocket) return plan.tls ? "wss" : "ws";
  return plan.tls ? "https" : "http";
}

std::string loop_of(const Plan& plan) {
  std::string line = fmt::format("{} connection{}", plan.connections, plan.connections == 1 ? "" : "s");
  if (plan.pipeline != 1) line += fmt::format(", {} pipelined", plan.pipeline);
  if (!plan.keep_alive) line += ", a request each";
  if (plan.threads != 1) line += fmt::format(", {} threads", plan.threads);
  return line + (plan.rate == 0 ? ", closed loop" : fmt::format(", open loop at {} a second", plan.rate));
}

/// What a reader of the percentiles must know.
std::string backlog_of(const Tally& tally) {
  if (tally.unsent != 0)
    return fmt::format(
        "backlog     {} requests were due and never sent: the server, or the connections, cannot keep up "
        "with\n"
        "            the rate, and the percentiles are too low by as much\n",
        tally.unsent);
  return fmt::format("backlog     at most {} requests waited for a connection\n", tally.backlog_max);
}

}  // namespace

std::string show_time(double nanoseconds) {
  constexpr std::array units = {"ns", "us", "ms", "s"};
  std::size_t unit = 0;
  while (nanoseconds >= 999.5 && unit + 1 != units.size()) {
    nanoseconds /= 1000;
    ++unit;
  }
  const int digits = nanoseconds < 9.995 ? 2 : nanoseconds < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}", nanoseconds, unit == 0 ? 0 : digits, units[unit]);
}

std::string table_of(const Plan& plan, const Outcome& outcome) {
  const Tally& tally = outcome.tally;
  std::string text;
  const auto out = std::back_inserter(text);
  const char* const what = plan.websocket ? "message" : "request";
  fmt::format_to(out, "{}, {}{}\n\n", plan.server, loop_of(plan), outcome.interrupted ? "; interrupted" : "");
  fmt::format_to(out, "{:<11} {} in {:.2f} s: {:.0f} a second, {:.2f} MB a second\n", std::string(what) + "s",
                 tally.answered, seconds_of(tally), per_second(tally.answered, tally),
                 per_second(tally.received_bytes, tally) / 1e6);
  if (tally.answered != 0) {
    const double cpu_seconds = outcome.user_seconds + outcome.system_seconds;
    fmt::format_to(out, "generator   {:.3f} us of CPU a {} (user {:.2f} s, system {:.2f} s), {} connected\n",
                   cpu_seconds / static_cast<double>(tally.answered) * 1e6, what, outcome.user_seconds,
                   outcome.system_seconds, tally.connected);
    fmt::format_to(out, "status      {}\n", statuses_of(tally));
    fmt::format_to(out, "latency     mean {}, deviation {}, least {}\n", show_time(tally.latency.mean()),
                   show_time(tally.latency.deviation()), show_time(static_cast<double>(tally.latency.min())));
    for (const Percentile& one : percentiles)
      fmt::format_to(out, "  {:<9} {:>8}\n", one.name,
                     show_time(static_cast<double>(tally.latency.percentile(one.per_100k))));
    fmt::format_to(out, "  {:<9} {:>8}\n", "max", show_time(static_cast<double>(tally.latency.max())));
  }
  if (plan.rate != 0) text += backlog_of(tally);
  return text;
}

std::string json_of(const Plan& plan, const Outcome& outcome) {
  const Tally& tally = outcome.tally;
  Record record{};
  record.server = plan.server;
  record.protocol = protocol_of(plan);
  record.loop = plan.rate == 0 ? "closed" : "open";
  record.connections = plan.connections;
  record.pipeline = plan.pipeline;
  record.threads = plan.threads;
  record.keep_alive = plan.keep_alive;
  record.interrupted = outcome.interrupted;
  record.rate_wanted = plan.rate;
  record.seconds = seconds_of(tally);
  record.answered = tally.answered;
  record.wrong = tally.faults.count();
  record.connected = tally.connected;
  record.received_bytes = tally.received_bytes;
  record.requests_per_second = per_second(tally.answered, tally);
  record.backlog_max = tally.backlog_max;
  record.unsent = tally.unsent;
  record.user_seconds = outcome.user_seconds;
  record.system_seconds = outcome.system_seconds;
  for (std::size_t status = 0; status != tally.statuses.size(); ++status)
    if (tally.statuses[status] != 0) record.statuses[std::to_string(status)] = tally.statuses[status];
  const Histogram& latency = tally.latency;
  record.latency_us = {.min = microseconds(latency.min()),
                       .mean = latency.mean() / 1000,
                       .deviation = latency.deviation() / 1000,
                       .max = microseconds(latency.max()),
                       .percentiles = {}};
  for (const Percentile& one : percentiles)
    record.latency_us.percentiles[one.name] = microseconds(latency.percentile(one.per_100k));
  for (const auto& [what, times] : tally.faults.kinds()) record.faults.push_back({what, times});
  std::string text;
  detail::append_json(text, record);
  return text + "\n";
}

std::string faults_of(const Tally& tally) {
  if (tally.faults.count() == 0) return {};
  std::string text = fmt::format("wrong: {} of {} requests\n", tally.faults.count(),
                                 std::max(tally.answered, tally.faults.count()));
  for (const auto& [what, times] : tally.faults.kinds()) text += fmt::format("  {} times: {}\n", times, what);
  if (tally.faults.unnamed() != 0)
    text += fmt::format("  {} times: of other kinds\n", tally.faults.unnamed());
  return text;
}

}  // namespace millrace::bench
