// Question: what do the steps behind the tokenizer cost: framing, target, chunks, dates?
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>

#include "engine/http/chunked.hpp"
#include "engine/http/date.hpp"
#include "engine/http/framing.hpp"
#include "engine/http/head_parser.hpp"
#include "engine/http/known_host.hpp"
#include "engine/http/target.hpp"
#include "perf/micro/requests.hpp"

namespace {

using namespace millrace::http;

void framing(benchmark::State& state) {
  const bench::Padded request(bench::request_of(bench::shapes[state.range(0)]));
  Field fields[100];
  Head head;
  head.fields = fields;
  head.fields_max = 100;
  if (parse_head_strict(request.data(), request.size(), HeadLimits{}, head).failed()) {
    return state.SkipWithError("a good head was not accepted");
  }
  KnownHost known;
  Framing framing;
  for (auto _ : state) {
    benchmark::ClobberMemory();
    if (read_framing(head, known, framing).failed()) state.SkipWithError("a good head was refused");
    benchmark::DoNotOptimize(framing);
  }
  state.SetLabel(bench::name_of(bench::shapes[state.range(0)]));
}
BENCHMARK(framing)->DenseRange(0, bench::shape_last);

void target(benchmark::State& state) {
  bench::Padded request(bench::request_of(bench::shapes[state.range(0)]));
  Field fields[100];
  Head head;
  head.fields = fields;
  head.fields_max = 100;
  if (parse_head_strict(request.data(), request.size(), HeadLimits{}, head).failed()) {
    return state.SkipWithError("a good head was not accepted");
  }
  Target target;
  for (auto _ : state) {
    benchmark::ClobberMemory();
    if (read_target(head, request.data(), target).failed()) state.SkipWithError("a good target was refused");
    benchmark::DoNotOptimize(target);
  }
  state.SetLabel(bench::name_of(bench::shapes[state.range(0)]));
}
BENCHMARK(target)->DenseRange(0, 1);

void chunked(benchmark::State& state) {
  const std::string data(static_cast<std::size_t>(state.range(0)), 'x');
  std::string wire;
  constexpr unsigned chunks = 64;
  for (unsigned i = 0; i < chunks; ++i) {
    char line[18];
    wire.append(line, encode_chunk_size(data.size(), line)).append(data).append("\r\n");
  }
  wire += "0\r\n\r\n";
  std::string buffer(wire.size(), ' ');
  for (auto _ : state) {
    std::memcpy(buffer.data(), wire.data(), wire.size());
    ChunkedState decoder;
    auto progress =
        decode_chunked(decoder, ChunkLimits{}, buffer.data(), buffer.size(), buffer.data(), nullptr, nullptr);
    if (!progress || !progress->done) state.SkipWithError("a good body was refused");
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * chunks));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * wire.size()));
}
BENCHMARK(chunked)->Arg(16)->Arg(1000)->Arg(8000);

void percent(benchmark::State& state) {
  const std::string text = state.range(0) == 0 ? "a=plain&b=text+with+spaces&c=nothing+else&d=1234567890"
                                               : "q=J%C3%B6rg%20M%C3%BCller&from=Z%C3%BCrich&to=K%C3%B6ln";
  state.SetLabel(state.range(0) == 0 ? "nothing encoded" : "a third of it encoded");
  std::string buffer = text;
  for (auto _ : state) {
    std::memcpy(buffer.data(), text.data(), text.size());
    benchmark::DoNotOptimize(percent_decode(buffer.data(), buffer.size(), true));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(percent)->Arg(0)->Arg(1);

void date_written(benchmark::State& state) {
  std::int64_t at = 1'730'246'400;
  char out[date_bytes];
  for (auto _ : state) {
    write_date(at++, out);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(date_written);

void date_read(benchmark::State& state) {
  std::string text = "Wed, 30 Oct 2024 00:00:00 GMT";
  for (auto _ : state) {
    benchmark::DoNotOptimize(text.data());
    benchmark::DoNotOptimize(read_date(text, 1'730'246'400));
  }
}
BENCHMARK(date_read);

}  // namespace
