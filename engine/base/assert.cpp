#include "engine/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace millrace {

void assert_failed(const char* what, const char* file, int line) noexcept {
  std::fprintf(stderr, "millrace: broken invariant at %s:%d: %s\n", file, line, what);
  std::abort();
}

}  // namespace millrace
