#include "engine/io/sim/sim_backend.hpp"

#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "engine/base/assert.hpp"

namespace millrace::io::sim {
namespace {

constexpr TimeNs wait_costs_ns = 1000;  // So that a core that only polls sees time go by.
constexpr std::uint32_t idle_waits_max = 1000;
constexpr std::uint8_t alert_type = 21;  // RFC 8446 section 5.1.

}  // namespace

SimBackend::SimBackend(Network& network, const BackendOptions& options)
    : network_(network),
      buffers_(options.buffers, options.buffer_bytes),
      queue_entries_(options.queue_entries),
      completion_entries_(options.completion_entries) {}

// ---- Starting operations. They take effect in wait(), or when the submission queue is full.

void SimBackend::accept(Token token, Descriptor listener) noexcept {
  MR_ASSERT(token.op() == Op::accept);
  MR_ASSERT(network_.is_listener(listener));
  note("accept", token, listener, 0);
  submit(operations_.add(token, listener));
}

void SimBackend::recv(Token token, Descriptor descriptor) noexcept {
  MR_ASSERT(token.op() == Op::recv);
  MR_ASSERT(network_.find(descriptor) != nullptr);
  note("recv", token, descriptor, 0);
  submit(operations_.add(token, descriptor));
}

void SimBackend::send(Token token, Descriptor descriptor, std::span<const iovec> parts) noexcept {
  begin_send(token, descriptor, parts, false);
}

void SimBackend::send_alert(Token token, Descriptor descriptor, std::span<const iovec> parts) noexcept {
  begin_send(token, descriptor, parts, true);
}

void SimBackend::begin_send(Token token, Descriptor descriptor, std::span<const iovec> parts,
                            bool alert) noexcept {
  MR_ASSERT(token.op() == Op::send);
  MR_ASSERT(network_.find(descriptor) != nullptr);
  MR_ASSERT(!parts.empty() && parts.size() <= 1024);
  Operation& operation = operations_.add(token, descriptor);
  operation.parts = parts;
  operation.parts_hash = hash_of(parts);
  operation.alert = alert;
  note("send", token, descriptor, trace_ != nullptr ? hash_of_content(parts) : 0);
  submit(operation);
}

void SimBackend::hangup(Token token, Descriptor descriptor) noexcept {
  MR_ASSERT(token.op() == Op::hangup);
  MR_ASSERT(network_.find(descriptor) != nullptr);
  note("hangup", token, descriptor, 0);
  submit(operations_.add(token, descriptor));
}

void SimBackend::submit(Operation& operation) noexcept {
  count_submission();
  submitted_.push_back(operation.token);
}

void SimBackend::cancel(Token token) noexcept {
  note("cancel", token, no_descriptor, 0);
  count_submission();
  submitted_.emplace_back();
  cancelled_.push_back(token);
}

void SimBackend::count_submission() noexcept {
  if (queued_ == queue_entries_) {
    ++stats_.submission_stalls;
    apply_submissions();
  }
  ++queued_;
  ++stats_.submissions;
}

void SimBackend::apply_submissions() noexcept {
  queued_ = 0;
  for (const Token token : submitted_) {
    if (token.op() != Op::none) {
      Operation* operation = operations_.find(token);
      MR_ASSERT(operation != nullptr);
      operation->started = true;
      pump(operation->descriptor);
      continue;
    }
    const Token target = cancelled_.front();
    cancelled_.pop_front();
    // It means the operation of this moment, not a later one with the same token, which may wait behind it.
    const Operation* operation = operations_.find(target);
    if (operation == nullptr || !operation->started) continue;
    const bool late = network_.random().chance(network_.plan().late_cancel);
    network_.faults().late_cancels += late;
    const TimeNs delay = late ? network_.random().below(network_.plan().delay_max_ns) : 0;
    cancels_.push_back({.time = network_.now() + delay, .token = target, .serial = operation->serial});
    apply_cancels();
  }
  submitted_.clear();
}

void SimBackend::apply_cancels() noexcept {
  for (std::size_t i = 0; i < cancels_.size();) {
    if (cancels_[i].time > network_.now()) {
      ++i;
      continue;
    }
    Operation* operation = operations_.find(cancels_[i].token);
    if (operation != nullptr && operation->serial == cancels_[i].serial) end(*operation, -ECANCELED);
    cancels_.erase(cancels_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

// ---- Immediate operations

void SimBackend::shutdown_send(Descriptor descriptor) noexcept {
  note("shutdown", Token(), descriptor, 0);
  network_.shutdown_send(descriptor);
}

void SimBackend::close(Descriptor descriptor, bool reset) noexcept {
  MR_ASSERT(operations_.count(descriptor) == 0);
  note(reset ? "reset" : "close", Token(), descriptor, 0);
  network_.close(descriptor, reset);
}

bool SimBackend::peer_address(Descriptor descriptor, sockaddr_storage& out) noexcept {
  const Connection* connection = network_.find(descriptor);
  if (connection == nullptr || connection->reset_at_server) return false;
  out = {};
  auto& address = reinterpret_cast<sockaddr_in&>(out);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(1024 + network_.id_of(descriptor) % 60000));
  return true;
}

std::size_t SimBackend::unacknowledged_bytes(Descriptor descriptor) noexcept {
  const Connection* connection = network_.find(descriptor);
  return connection == nullptr ? 0 : connection->unread.size();
}

// ---- What operations come to

void SimBackend::pump_changed() noexcept {
  for (const Descriptor descriptor : network_.take_changed()) pump(descriptor);
}

void SimBackend::pump(Descriptor descriptor) noexcept {
  if (Operation* operation = operations_.active(descriptor, Op::accept)) return pump_accept(*operation);
  Connection* connection = network_.find(descriptor);
  if (connection == nullptr) return;  // Closed since.
  if (Operation* operation = operations_.active(descriptor, Op::recv)) pump_recv(*operation, *connection);
  if (Operation* operation = operations_.active(descriptor, Op::send)) pump_send(*operation, *connection);
  if (Operation* operation = operations_.active(descriptor, Op::hangup)) pump_hangup(*operation, *connection);
}

// True where a multishot operation survives the good completion it is about to make.
bool SimBackend::goes_on(Operation& operation) noexcept {
  if (!network_.random().chance(network_.plan().multishot_end)) return true;
  ++network_.faults().multishot_ends;
  operation.ended = true;
  return false;
}

void SimBackend::pump_accept(Operation& operation) noexcept {
  while (!operation.ended) {
    // The kernel takes the number first, and so fails even where nobody waits.
    if (network_.open_descriptors() >= network_.plan().descriptors_max) return end(operation, -EMFILE);
    if (!network_.connection_waits(operation.descriptor)) return;
    if (network_.random().chance(network_.plan().accept_failure)) {
      ++network_.faults().accept_failures;
      return end(operation, -EMFILE);
    }
    const Descriptor accepted = network_.accept(operation.descriptor);
    complete(operation, {.token = operation.token, .result = accepted, .more = goes_on(operation)});
  }
}

void SimBackend::pump_recv(Operation& operation, Connection& connection) noexcept {
  Random& random = network_.random();
  while (!operation.ended && !connection.arrived.empty()) {
    const bool pretend = random.chance(network_.plan().no_buffers);
    network_.faults().no_buffers += pretend;
    network_.faults().real_exhaustions += !pretend && buffers_.free_count() == 0;
    if (pretend || buffers_.free_count() == 0) return end(operation, -ENOBUFS);
    std::size_t size_bytes = std::min<std::size_t>(connection.arrived.size(), buffers_.buffer_bytes());
    if (size_bytes > 1 && random.chance(network_.plan().short_receive)) {
      ++network_.faults().short_receives;
      size_bytes = 1 + random.below(size_bytes - 1);
    }
    const std::uint16_t id = buffers_.fill(connection.arrived.front(size_bytes));
    network_.received(connection, size_bytes);
    complete(operation, {.token = operation.token,
                         .result = static_cast<std::int32_t>(size_bytes),
                         .buffer_id = id,
                         .has_buffer = true,
                         .more = goes_on(operation)});
  }
  if (operation.ended) return;
  if (connection.error_pending) {
    connection.error_pending = false;
    return end(operation, -ECONNRESET);
  }
  if (connection.end_arrived || connection.reset_at_server) end(operation, 0);
}

void SimBackend::pump_send(Operation& operation, Connection& connection) noexcept {
  if (connection.error_pending) {
    connection.error_pending = false;
    return end(operation, -ECONNRESET);
  }
  if (connection.reset_at_server || connection.server_ended) return end(operation, -EPIPE);
  std::size_t asked_bytes = 0;
  for (const iovec& part : operation.parts) asked_bytes += part.iov_len;
  if (operation.file != nullptr && asked_bytes == 0) return pump_file(operation, connection);
  std::size_t size_bytes = std::min(asked_bytes, network_.send_room(connection));
  if (operation.alert && size_bytes != asked_bytes) size_bytes = 0;  // Its record is made at once.
  if (size_bytes == 0 && asked_bytes != 0) {
    ++network_.faults().blocked_sends;
    return;
  }
  if (size_bytes > 1 && !operation.alert && network_.random().chance(network_.plan().short_send)) {
    ++network_.faults().short_sends;
    size_bytes = 1 + network_.random().below(size_bytes - 1);
  }
  std::size_t left_bytes = size_bytes;
  for (const iovec& part : operation.parts) {
    const std::size_t taken_bytes = std::min(left_bytes, part.iov_len);
    network_.send(operation.descriptor, {static_cast<const char*>(part.iov_base), taken_bytes},
                  operation.alert ? alert_type : Network::content);
    left_bytes -= taken_bytes;
  }
  end(operation, static_cast<std::int32_t>(size_bytes));
}

void SimBackend::pump_hangup(Operation& operation, Connection& connection) noexcept {
  const bool both_ended = connection.end_arrived && connection.server_ended;
  if (connection.reset_at_server || both_ended) return end(operation, POLLHUP);
  // As happens when the completion queue is full.
  if (!network_.random().chance(network_.plan().hangup_end)) return;
  ++network_.faults().hangup_ends;
  end(operation, -EAGAIN);
}

void SimBackend::end(Operation& operation, std::int32_t result) noexcept {
  operation.ended = true;
  complete(operation, {.token = operation.token, .result = result});
}

// Completions of one operation keep their order; those of different ones overtake each other.
void SimBackend::complete(Operation& operation, Completion completion) noexcept {
  TimeNs time = std::max(operation.last_due, network_.now());
  if (network_.random().chance(network_.plan().late_completion)) {
    ++network_.faults().late_completions;
    time += network_.random().below(network_.plan().delay_max_ns);
  }
  operation.last_due = time;
  due_.push({.time = time, .sequence = sequence_++, .completion = completion});
}

// ---- The trace

void SimBackend::note(const char* what, Token token, Descriptor descriptor, std::uint64_t content) const {
  if (trace_ == nullptr) return;
  char line[128];
  const int size = std::snprintf(
      line, sizeof line, "%llu %s %llx of %d %llx\n", static_cast<unsigned long long>(network_.now()), what,
      static_cast<unsigned long long>(token.bits()), descriptor, static_cast<unsigned long long>(content));
  trace_->append(line, static_cast<std::size_t>(size));
}

void SimBackend::note(const Completion& completion) {
  if (trace_ == nullptr) return;
  char line[128];
  std::uint64_t content = 0;
  if (completion.has_buffer)
    content = hash_of(buffers_.at(completion.buffer_id), static_cast<std::size_t>(completion.result), 1);
  const int size = std::snprintf(line, sizeof line, "%llu completed %llx with %d buffer %d %llx%s\n",
                                 static_cast<unsigned long long>(network_.now()),
                                 static_cast<unsigned long long>(completion.token.bits()), completion.result,
                                 completion.has_buffer ? completion.buffer_id : -1,
                                 static_cast<unsigned long long>(content), completion.more ? " more" : "");
  trace_->append(line, static_cast<std::size_t>(size));
}

// ---- Waiting

void SimBackend::post_due() noexcept {
  while (!overflowed_.empty() && posted_.size() < completion_entries_) {
    posted_.push_back(overflowed_.front());
    overflowed_.pop_front();
  }
  const bool pretend = !due_.empty() && network_.random().chance(network_.plan().overflow);
  for (; !due_.empty() && due_.top().time <= network_.now(); due_.pop()) {
    const bool full = posted_.size() >= completion_entries_ || (pretend && !posted_.empty());
    if (!full && overflowed_.empty()) {
      posted_.push_back(due_.top().completion);
      continue;
    }
    if (overflowed_.empty()) {
      ++stats_.queue_overflows;
      ++network_.faults().overflows;
    }
    overflowed_.push_back(due_.top().completion);
  }
}

std::size_t SimBackend::deliver(std::span<Completion> out) noexcept {
  std::size_t count = 0;
  if (woken_.exchange(false, std::memory_order_acquire)) out[count++] = {.token = Token(Op::wake, 0, 0)};
  std::size_t most = std::min(out.size(), count + posted_.size());
  if (most > count + 1 && network_.random().chance(network_.plan().partial_wait)) {
    ++network_.faults().partial_waits;
    most = count + 1 + network_.random().below(most - count - 1);
  }
  for (; count < most; ++count) {
    out[count] = posted_.front();
    posted_.pop_front();
    deliver_one(out[count]);
  }
  stats_.completions += count;
  return count;
}

void SimBackend::deliver_one(const Completion& completion) noexcept {
  note(completion);
  trace_hash_ = mix(trace_hash_ ^ network_.now());
  trace_hash_ = mix(trace_hash_ ^ completion.token.bits());
  trace_hash_ = mix(trace_hash_ ^ static_cast<std::uint32_t>(completion.result) ^
                    std::uint64_t{completion.more} << 32 ^ std::uint64_t{completion.buffer_id} << 33);
  if (completion.has_buffer) {
    buffers_.hand_over(completion.buffer_id);
    trace_hash_ =
        hash_of(buffers_.at(completion.buffer_id), static_cast<std::size_t>(completion.result), trace_hash_);
  }
  if (completion.more) return;
  Operation* operation = operations_.find_ended(completion.token);
  MR_ASSERT(operation != nullptr);
  // The parts and their bytes were lent until now.
  if (completion.token.op() == Op::send) MR_ASSERT(hash_of(operation->parts) == operation->parts_hash);
  operations_.remove(*operation);
}

TimeNs SimBackend::next_event() const noexcept {
  TimeNs next = network_.next_event();
  if (!due_.empty()) next = std::min(next, due_.top().time);
  for (const Cancel& cancel : cancels_) next = std::min(next, cancel.time);
  return next;
}

std::size_t SimBackend::wait(std::span<Completion> out, TimeNs deadline) noexcept {
  MR_ASSERT(!out.empty());
  ++stats_.waits;
  network_.set_now(network_.now() + wait_costs_ns);
  apply_submissions();
  for (;;) {
    network_.run_due();
    pump_changed();
    apply_cancels();
    post_due();
    if (const std::size_t count = deliver(out); count != 0) {
      idle_waits_ = 0;
      return count;
    }
    const TimeNs next = next_event();
    if (next >= deadline) {
      if (deadline != time_never) {
        network_.set_now(std::max(network_.now(), deadline));
      } else {
        // For ever with nothing to come: a core that does this has lost something.
        MR_ASSERT(++idle_waits_ < idle_waits_max);
      }
      return 0;
    }
    network_.set_now(std::max(network_.now(), next));
  }
}

}  // namespace millrace::io::sim
