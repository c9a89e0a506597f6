// Question: what does the send queue cost a reply of 128 bytes? `batch`: so many replies written, gathered
// as one send, and taken off when it has ended. `behind`: replies that waited for an earlier one, moved over.
#include <benchmark/benchmark.h>

#include <string>

#include "engine/net/chain.hpp"
#include "engine/proto/h1/head_parts.hpp"

namespace {

using namespace millrace;
using net::Chain;

const std::string reply(128, 'r');

bool take_all(Chain& chain, mem::BlockPool& pool) {
  std::size_t bytes = 0;
  for (const iovec& part : chain.gather()) bytes += part.iov_len;
  const bool whole = bytes == chain.bytes();
  chain.consume(pool, bytes);
  return whole;
}

void batch(benchmark::State& state) {
  mem::BlockPool pool(1 << 20);
  Chain chain;
  bool right = true;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < state.range(0); ++i) right &= chain.append(pool, reply);
    benchmark::ClobberMemory();
    right &= take_all(chain, pool);
  }
  if (!right) state.SkipWithError("bytes were lost");
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(batch)->Name("send_queue/batch")->Arg(1)->Arg(24);

void behind(benchmark::State& state) {
  mem::BlockPool pool(1 << 20);
  Chain chain, waiting;
  bool right = true;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      right &= waiting.append(pool, reply);
      chain.take_over(waiting);
    }
    benchmark::ClobberMemory();
    while (!chain.empty()) right &= take_all(chain, pool) || !chain.empty();
  }
  if (!right) state.SkipWithError("bytes were lost");
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(behind)->Name("send_queue/behind")->Arg(1)->Arg(8);

}  // namespace
