#include "engine/io/sim/fault_plan.hpp"

namespace millrace::io::sim {

FaultPlan FaultPlan::drawn(Random& random) noexcept {
  // Half of the faults are off in any one world: some bugs only show where nothing hides them.
  const auto draw = [&](std::uint32_t permille_max) -> std::uint32_t {
    return random.chance(500) ? 0 : 1 + static_cast<std::uint32_t>(random.below(permille_max));
  };
  FaultPlan plan;
  plan.short_receive = draw(900);
  plan.short_send = draw(900);
  plan.split_write = draw(900);
  plan.late_completion = draw(700);
  plan.no_buffers = draw(300);
  plan.multishot_end = draw(300);
  plan.hangup_end = draw(500);
  plan.accept_failure = draw(300);
  plan.late_cancel = draw(1000);
  plan.partial_wait = draw(500);
  plan.overflow = draw(100);
  plan.reset = draw(300);
  plan.slow_reader = draw(500);
  plan.latency_max_ns = random.chance(300) ? 0 : random.below(3 * ns_per_ms);
  plan.send_buffer_bytes =
      random.chance(500) ? 64 * 1024 : 1 + static_cast<std::uint32_t>(random.below(2000));
  plan.slow_reader_bytes = 1 + static_cast<std::uint32_t>(random.below(400));
  return plan;
}

}  // namespace millrace::io::sim
