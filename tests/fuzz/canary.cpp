// canary.cpp: a target that must fail: shows that the fuzzer finds what is hidden behind a few comparisons.
// `./dev fuzz` runs it first, and fails where it does not find this within its time.
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view hidden = "mill race";
  // A byte at a time, as a parser goes: each right one is new ground.
  for (std::size_t at = 0; at < hidden.size(); ++at) {
    if (at == size || data[at] != static_cast<std::uint8_t>(hidden[at])) return 0;
  }
  std::abort();
}
