// Question: what does a head cost, by each kernel, by the strict path, and by llhttp and picohttpparser
// alone? `same` is one request again and again; `varied` goes round 64 that differ, so that no branch can be learnt.
#include <benchmark/benchmark.h>

#include <string>

#include "engine/http/head_parser.hpp"
#include "perf/micro/llhttp_alone.hpp"
#include "perf/micro/picohttpparser.hpp"
#include "perf/micro/requests.hpp"

namespace {

using millrace::http::Field;
using millrace::http::Head;

constexpr unsigned fields_max = 100;

std::vector<bench::Padded> padded(const std::vector<std::string>& requests) {
  std::vector<bench::Padded> copies;
  for (const std::string& request : requests) copies.emplace_back(request);
  return copies;
}

/// parse(data, size, head): true where the head is complete. `varied` goes round the requests; `same` has
/// one, and nothing in its loop but the parser and what keeps the compiler from knowing the outcome.
template <class Parse>
void measure_varied(benchmark::State& state, const std::vector<bench::Padded>& requests, Parse parse) {
  Field fields[fields_max];
  Head head;
  head.fields = fields;
  head.fields_max = fields_max;
  std::size_t next = 0;
  for (auto _ : state) {
    const bench::Padded& request = requests[next];
    next = next + 1 == requests.size() ? 0 : next + 1;
    const char* data = request.data();
    bench::hide(data);
    if (!parse(data, request.size(), head)) state.SkipWithError("a good head was not accepted");
    benchmark::ClobberMemory();
  }
}

template <class Parse>
void measure_same(benchmark::State& state, const bench::Padded& request, Parse parse) {
  Field fields[fields_max];
  Head head;
  head.fields = fields;
  head.fields_max = fields_max;
  const char* const begin = request.data();
  const std::size_t size = request.size();
  bool accepted = true;
  for (auto _ : state) {
    const char* data = begin;
    bench::hide(data);
    accepted &= parse(data, size, head);
    benchmark::ClobberMemory();
  }
  if (!accepted) state.SkipWithError("a good head was not accepted");
}

template <class Parse>
void add(const std::string& who, Parse parse) {
  for (const bench::Shape shape : bench::shapes) {
    const std::string name = "head/" + who + "/" + bench::name_of(shape);
    benchmark::RegisterBenchmark((name + "/same").c_str(), [shape, parse](benchmark::State& state) {
      measure_same(state, bench::Padded(bench::request_of(shape)), parse);
    });
    benchmark::RegisterBenchmark((name + "/varied").c_str(), [shape, parse](benchmark::State& state) {
      measure_varied(state, padded(bench::varied_requests(shape, 64)), parse);
    });
  }
}

const bool registered = [] {
  add("llhttp",
      [](const char* data, std::size_t size, Head&) { return bench::llhttp_alone(data, size) != 0; });
#ifdef MR_HAVE_PICOHTTPPARSER
  add("picohttpparser",
      [](const char* data, std::size_t size, Head&) { return bench::picohttpparser(data, size) != 0; });
#endif
  for (unsigned i = 0; i < millrace::http::isa_count; ++i) {
    const auto isa = static_cast<millrace::http::Isa>(i);
    if (millrace::http::kernel_for(isa) == nullptr) continue;
    const millrace::http::HeadParser parser(isa, millrace::http::HeadLimits{});
    add(millrace::http::name_of(isa), [parser](const char* data, std::size_t size, Head& head) {
      return !parser.parse(data, size, true, head).failed();
    });
  }
  add("strict", [](const char* data, std::size_t size, Head& head) {
    return !millrace::http::parse_head_strict(data, size, millrace::http::HeadLimits{}, head).failed();
  });
  return true;
}();

}  // namespace
