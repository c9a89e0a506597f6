// bench_flags.hpp: the flags of `millrace bench` as they were written.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace millrace::config {

struct BenchFlags {
  std::optional<std::string> url;
  std::optional<std::string> connections, pipeline, duration, count, rate, threads;
  std::optional<std::string> method, body, urls, timeout;
  std::vector<std::string> headers;
  std::optional<std::string> expect_status, expect_length, expect_body;
  std::optional<std::string> backend, json;
  std::optional<std::string> cacert, message_bytes;
  bool no_keepalive = false;
  bool insecure = false;
};

}  // namespace millrace::config
