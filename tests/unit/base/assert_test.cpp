#include "engine/base/assert.hpp"

#include "tests/unit/base/death.hpp"

TEST_CASE("MR_ASSERT: aborts on a false condition alone, and evaluates it once") {
  int evaluations = 0;
  MR_ASSERT(++evaluations == 1);
  CHECK(evaluations == 1);
  CHECK(dies([] { MR_ASSERT(1 + 1 == 3); }));
  CHECK(!dies([] { MR_ASSERT(1 + 1 == 2); }));
}

TEST_CASE("MR_UNREACHABLE: aborts") {
  CHECK(dies([] { MR_UNREACHABLE("a test reaches it"); }));
}

TEST_CASE("MR_DASSERT: is evaluated in debug builds only") {
  int evaluations = 0;
  MR_DASSERT(++evaluations == 1);
#ifdef NDEBUG
  CHECK(evaluations == 0);
  CHECK(!dies([] { MR_DASSERT(false); }));
#else
  CHECK(evaluations == 1);
  CHECK(dies([] { MR_DASSERT(false); }));
#endif
}
