#include <thread>

#include "engine/io/sim/world.hpp"
#include "tests/conformance/harness.hpp"

namespace millrace::conformance {
namespace {

class SimPeer final : public Peer {
 public:
  explicit SimPeer(io::sim::Client client) : client_(client) {}
  ~SimPeer() override { client_.close(); }
  void write(std::string_view bytes) override { client_.write(bytes); }
  void half_close() override { client_.half_close(); }
  void reset() override { client_.reset(); }
  void set_reading(bool reads) override { client_.set_reading(reads); }
  const std::string& received() override { return client_.received(); }
  bool eof() override { return client_.eof(); }
  bool was_reset() override { return client_.was_reset(); }

 private:
  io::sim::Client client_;
};

class SimHarness final : public Harness {
 public:
  explicit SimHarness(const io::BackendOptions& options) : world_(1, {}, options) {}
  io::IoBackend& backend() override { return world_.backend(); }
  bool has_queues() const override { return true; }
  io::Descriptor listen() override { return world_.listen(); }
  std::unique_ptr<Peer> connect(io::Descriptor listener) override {
    return std::make_unique<SimPeer>(world_.connect(listener));
  }
  void exhaust_descriptors(bool on) override {
    world_.plan().descriptors_max = on ? world_.open_descriptors() : io::sim::FaultPlan{}.descriptors_max;
  }
  void from_another_thread(void (*action)(io::IoBackend&)) override {
    std::thread([&] { action(backend()); }).join();
  }

 private:
  io::sim::World world_;
};

}  // namespace

std::unique_ptr<Harness> make_sim_harness(const io::BackendOptions& options) {
  return std::make_unique<SimHarness>(options);
}

}  // namespace millrace::conformance
