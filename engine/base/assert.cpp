#include "engine/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace mr {

void assert_failed(const char* what, const char* file, int line) noexcept {
  std::fprintf(stderr, "millrace: broken invariant at %s:%d: %s\n", file, line, what);
  std::abort();
}

}  // namespace mr
