// main.cpp: runs the micro benchmarks; --help lists Google Benchmark's flags.
#include <benchmark/benchmark.h>

BENCHMARK_MAIN();
