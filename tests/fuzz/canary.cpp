// canary.cpp: a target that must fail: shows that the fuzzer finds what is hidden behind a few comparisons.
// `./dev fuzz` runs it first, and fails where it does not find this within its time.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 6) return 0;
  // A branch a byte, as a parser's: each right one is new ground.
  if (data[0] != 'm') return 0;
  if (data[1] != 'i') return 0;
  if (data[2] != 'l') return 0;
  if (data[3] != 'l') return 0;
  if (data[4] != 'e') return 0;
  if (data[5] != 'r') return 0;
  std::abort();
}
