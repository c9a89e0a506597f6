// choose.cpp: which kernel this processor gets, once, at start.
#include <cstdlib>
#include <string_view>

#include "engine/http/kernels/kernels.hpp"

namespace millrace::http {

const char* name_of(Isa isa) noexcept {
  switch (isa) {
    case Isa::scalar: return "scalar";
    case Isa::sse42: return "sse4.2";
    case Isa::avx2: return "avx2";
    case Isa::avx512: return "avx512";
  }
  MR_UNREACHABLE("an Isa outside the enumeration");
}

Kernel kernel_for(Isa isa) noexcept {
#ifdef MR_KERNELS_X86
  // The builtin also asks the operating system whether it saves the wide registers (XGETBV).
  __builtin_cpu_init();
  const bool bit_operations = __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  switch (isa) {
    case Isa::scalar: return scan_scalar;
    case Isa::sse42: return __builtin_cpu_supports("sse4.2") ? scan_sse42 : nullptr;
    case Isa::avx2: return bit_operations && __builtin_cpu_supports("avx2") ? scan_avx2 : nullptr;
    case Isa::avx512:
      // VBMI came with Ice Lake and Zen 4: the processors that do not slow down for wide registers.
      return bit_operations && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                     __builtin_cpu_supports("avx512vbmi")
                 ? scan_avx512
                 : nullptr;
  }
  MR_UNREACHABLE("an Isa outside the enumeration");
#else
  return isa == Isa::scalar ? scan_scalar : nullptr;
#endif
}

Result<Isa> choose_isa() noexcept {
  const char* const forced = std::getenv("MILLRACE_ISA");
  for (unsigned i = isa_count; i-- > 0;) {
    const Isa isa = static_cast<Isa>(i);
    if (forced != nullptr && std::string_view(forced) != name_of(isa)) continue;
    if (kernel_for(isa) != nullptr) return isa;
  }
  return Error{Errc::unsupported};
}

}  // namespace millrace::http
