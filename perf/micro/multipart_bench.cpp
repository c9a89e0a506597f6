// Question: at what speed does the multipart parser pass over a file, in receive buffers of 8 KiB?
#include <benchmark/benchmark.h>

#include <random>
#include <string>

#include "engine/http/multipart.hpp"

namespace {

using namespace millrace::http;

/// 0: random bytes; 1: text in lines; 2: nothing but what a delimiter begins with.
std::string data_of(std::int64_t kind) {
  constexpr std::size_t bytes = 1 << 20;
  std::string data;
  std::mt19937 random(1);
  while (data.size() < bytes) {
    if (kind == 0) data += static_cast<char>(random());
    if (kind == 1) data.append(40 + random() % 60, 'x').append("\r\n");
    if (kind == 2) data += "\r\n--";
  }
  return data;
}

void multipart(benchmark::State& state) {
  const std::string boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW";
  const std::string wire = "--" + boundary +
                           "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n" +
                           data_of(state.range(0)) + "\r\n--" + boundary + "--\r\n";
  for (auto _ : state) {
    MultipartParser parser(boundary);
    std::size_t bytes = 0;
    for (std::size_t at = 0; at < wire.size(); at += 8192) {
      std::string_view input = std::string_view(wire).substr(at, 8192);
      for (;;) {
        auto event = parser.next(input);
        if (!event) return state.SkipWithError("a good form was refused");
        if (event->step == MultipartStep::need_more) break;
        bytes += event->data.size();
      }
    }
    benchmark::DoNotOptimize(bytes);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * wire.size()));
  state.SetLabel(state.range(0) == 0 ? "random" : state.range(0) == 1 ? "lines" : "hostile");
}
BENCHMARK(multipart)->DenseRange(0, 2);

}  // namespace
