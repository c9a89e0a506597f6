// io_test.cpp: the one table of what backend.hpp promises, run on every backend that implements it.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <string>

#include "tests/conformance/harness.hpp"

namespace millrace::conformance {
namespace {

void run_table(std::unique_ptr<Harness> (*make)(const io::BackendOptions&)) {
  for (const auto* cases : {&stream_cases, &file_cases, &ending_cases, &limit_cases}) {
    for (const Case& each : *cases) {
      const std::string name = each.name;
      INFO(name);
      const auto harness = make(each.options);
      each.run(*harness);
    }
  }
}

}  // namespace

TEST_CASE("conformance: uring") { run_table(make_uring_harness); }
TEST_CASE("conformance: epoll") { run_table(make_epoll_harness); }
TEST_CASE("conformance: sim") { run_table(make_sim_harness); }

}  // namespace millrace::conformance
