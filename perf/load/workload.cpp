#include "perf/load/workload.hpp"

#include <algorithm>

#include "perf/common/arguments.hpp"

namespace millrace::perf {
namespace {

constexpr std::string_view greeting = "Hello world!";

Exchange plain(std::size_t) { return {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", std::string(greeting)}; }

// Lengths of 1 to 24 in an order that no predictor keeps, so that nothing but parsing finds the ends.
Exchange varied(std::size_t index) {
  const std::size_t length = 1 + index * 7 % 24;
  std::string name(length, 'a');
  for (std::size_t i = 0; i < length; ++i) name[i] = static_cast<char>('a' + (index * 5 + i * 3) % 26);
  const std::string value(1 + index * index % 17, static_cast<char>('A' + index % 26));
  return {"GET /name/" + name + " HTTP/1.1\r\nHost: localhost\r\nX-Value: " + value + "\r\n\r\n", name};
}

Exchange browser(std::size_t) {
  constexpr std::size_t request_bytes = 450;
  const std::string start =
      "GET / HTTP/1.1\r\n"
      "Host: www.example.com\r\n"
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0\r\n"
      "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
      "Accept-Language: en-US,en;q=0.5\r\n"
      "Accept-Encoding: gzip, deflate, br\r\n"
      "Connection: keep-alive\r\n"
      "Cookie: session=";
  const std::string end = "\r\n\r\n";
  std::string cookie(request_bytes - start.size() - end.size(), 'x');
  for (std::size_t i = 0; i < cookie.size(); ++i) cookie[i] = "0123456789abcdef"[i * 7 % 16];
  return {start + cookie + end, std::string(greeting)};
}

Exchange upload(std::size_t) {
  constexpr std::size_t body_bytes = 4096;
  return {
      "POST /length HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
      "Content-Length: " +
          std::to_string(body_bytes) + "\r\n\r\n" + std::string(body_bytes, 'b'),
      std::to_string(body_bytes)};
}

struct Kind {
  std::string_view name;
  std::uint32_t connections;
  std::uint32_t pipeline;
  Exchange (*make)(std::size_t index);
};

constexpr Kind kinds[] = {{"W1", 100, 24, plain},
                          {"W1v", 100, 24, varied},
                          {"W2", 100, 1, plain},
                          {"W3", 256, 16, browser},
                          {"W4", 100, 1, upload}};

}  // namespace

std::string Workload::requests() const {
  std::string all;
  for (const Exchange& exchange : batch) all += exchange.request;
  return all;
}

Workload make_workload(std::string_view name, std::uint32_t connections, std::uint32_t pipeline) {
  const auto* kind =
      std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& k) { return k.name == name; });
  if (kind == std::end(kinds)) fail_usage("there is no workload '" + std::string(name) + "'");
  Workload workload{connections != 0 ? connections : kind->connections, {}};
  const std::size_t depth = pipeline != 0 ? pipeline : kind->pipeline;
  for (std::size_t i = 0; i < depth; ++i) workload.batch.push_back(kind->make(i));
  return workload;
}

}  // namespace millrace::perf
