// workload.hpp: what the load generator asks, and what must be answered.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::perf {

struct Exchange {
  std::string request;
  std::string body;  ///< Of the answer.
};

struct Workload {
  std::uint32_t connections;
  std::vector<Exchange> batch;  ///< Sent at once on a connection; the next when all are answered.

  std::string requests() const;
};

/// W1, W1v, W2, W3 or W4; ends the program for another name. `pipeline` and `connections` of 0 mean
/// the workload's own.
///
///   W1   100 connections, 24 pipelined: GET / with a Host field, 35 bytes
///   W1v  the same, but all 24 differ in path parameter, field value and length
///   W2   as W1, not pipelined
///   W3   256 connections, 16 pipelined: GET / with the fields of a browser, 450 bytes
///   W4   100 connections, not pipelined: POST /length of 4 KiB
Workload make_workload(std::string_view name, std::uint32_t connections, std::uint32_t pipeline);

}  // namespace millrace::perf
