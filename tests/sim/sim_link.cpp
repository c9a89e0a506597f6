#include "tests/sim/sim_link.hpp"

#include <algorithm>

namespace millrace::test {

void SimLink::connect(io::Descriptor listener, std::unique_ptr<TlsEnd> tls, io::sim::Random* random) {
  client_ = world_.connect(listener);
  connected_ = true;
  random_ = random;
  tls_ = std::move(tls);
  client_.on_received([this] { on_wire(); });
  send_on();
}

void SimLink::write(std::string_view content) {
  if (tls_ == nullptr) return client_.write(content);
  tls_->write(content);
  send_on();
}

void SimLink::half_close() {
  if (tls_ == nullptr) return client_.half_close();
  half_closed_ = true;
  tls_->end();
  send_on();
}

// At once: what is still in pieces is lost, as it is with a process that ends.
void SimLink::close() {
  if (!client_.ended()) client_.close();
}

void SimLink::on_wire() {
  if (tls_ != nullptr) {
    tls_->feed(client_.take(), content_);
    send_on();
  }
  if (on_received_) on_received_();
}

void SimLink::send_on() {
  if (tls_ == nullptr || client_.ended()) return;
  wire_ += tls_->take_wire();
  if (pumping_) return;
  if (!wire_.empty()) {
    pumping_ = true;
    world_.after(random_ == nullptr ? 0 : random_->below(ns_per_ms), [this] { pump(); });
  } else if (half_closed_ && tls_->open()) {
    client_.half_close();  // Behind close_notify.
  }
}

void SimLink::pump() {
  pumping_ = false;
  if (client_.ended()) return;
  const std::size_t size =
      random_ == nullptr ? wire_.size() : std::min<std::size_t>(wire_.size(), 1 + random_->below(900));
  client_.write(std::string_view(wire_).substr(0, size));
  wire_.erase(0, size);
  send_on();
}

}  // namespace millrace::test
