// accepting.cpp: listeners: accepting, pausing where descriptors or slots run out, and the stop.
#include <cerrno>

#include "engine/serve/core.hpp"

namespace millrace::serve {

void Core::listen(io::Descriptor listener, net::TransportFactory* transports) noexcept {
  listeners_.push_back({listener, transports});
  arm_accept(listeners_.size() - 1);
}

void Core::arm_accept(std::size_t index) noexcept {
  Listener& listener = listeners_[index];
  if (listener.armed || stopping_) return;
  listener.armed = true;
  listener.stopping = false;
  backend_.accept({io::Op::accept, 0, static_cast<std::uint32_t>(index)}, listener.descriptor);
}

void Core::on_accept(const io::Completion& done) noexcept {
  const std::size_t index = done.token.slot();
  Listener& listener = listeners_[index];
  if (done.result >= 0) open(done.result, listener.transports);
  if (done.more) return;
  listener.armed = false;
  if (stopping_) {
    backend_.close(listener.descriptor, false);
    listener.descriptor = io::no_descriptor;
    return;
  }
  if (accept_paused_ || accept_retry_.started()) return;
  const bool harmless = done.result == -ECONNABORTED || done.result == -EINTR || done.result == -ECANCELED;
  if (done.result >= 0 || harmless) return arm_accept(index);
  // No descriptor or no memory for one more: asking again at once would spin.
  counters_.accept_errors.fetch_add(1, std::memory_order_relaxed);
  wheel_.start(accept_retry_, now_ + options_.accept_retry_ns);
}

void Core::pause_accept() noexcept {
  if (accept_paused_) return;
  accept_paused_ = true;
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (!listeners_[i].armed || listeners_[i].stopping) continue;
    listeners_[i].stopping = true;
    backend_.cancel({io::Op::accept, 0, static_cast<std::uint32_t>(i)});
  }
}

void Core::resume_accept() noexcept {
  if (connections_.live_count() >= options_.connections_max) return;
  accept_paused_ = false;
  wheel_.stop(accept_retry_);
  for (std::size_t i = 0; i < listeners_.size(); ++i) arm_accept(i);
}

void Core::begin_stop() noexcept {
  const TimeNs grace = stop_grace_.exchange(time_never, std::memory_order_acq_rel);
  if (grace == time_never) return;
  const TimeNs deadline = grace < time_never - now_ ? now_ + grace : time_never - 1;
  if (!stopping_) {
    stopping_ = true;
    wheel_.stop(accept_retry_);
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      Listener& listener = listeners_[i];
      if (listener.armed) {
        if (!listener.stopping) backend_.cancel({io::Op::accept, 0, static_cast<std::uint32_t>(i)});
        listener.stopping = true;
      } else {
        backend_.close(listener.descriptor, false);
        listener.descriptor = io::no_descriptor;
      }
    }
    connections_.for_each([](net::Connection& connection) {
      if (!connection.closing && !connection.aborting && !connection.lingering) {
        connection.protocol->on_drain(connection);
      }
    });
  } else if (stop_timer_.started() && stop_timer_.deadline <= deadline) {
    return;
  }
  wheel_.stop(stop_timer_);
  wheel_.start(stop_timer_, deadline);
}

}  // namespace millrace::serve
