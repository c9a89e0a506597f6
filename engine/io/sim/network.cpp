#include "engine/io/sim/network.hpp"

#include <algorithm>
#include <utility>

#include "engine/base/assert.hpp"

namespace millrace::io::sim {
namespace {

constexpr Descriptor first_descriptor = 3;

}  // namespace

Network::Network(std::uint64_t seed, const FaultPlan& plan) : plan_(plan), random_(seed) {}

void Network::set_now(TimeNs now) noexcept {
  MR_ASSERT(now >= now_);
  now_ = now;
}

void Network::push(EventKind kind, std::uint32_t subject, TimeNs time, std::uint32_t detail) {
  events_.push({.time = time, .sequence = sequence_++, .subject = subject, .detail = detail, .kind = kind});
}

void Network::schedule(TimeNs time, std::function<void()> action) {
  actions_.push_back(std::move(action));
  push(EventKind::call, static_cast<std::uint32_t>(actions_.size() - 1), time);
}

TimeNs Network::latency() { return plan_.latency_max_ns == 0 ? 0 : random_.below(plan_.latency_max_ns); }

void Network::run_due() {
  while (!events_.empty() && events_.top().time <= now_) {
    const Event event = events_.top();
    events_.pop();
    switch (event.kind) {
      case EventKind::arrive: arrive(event.subject, static_cast<Descriptor>(event.detail)); break;
      case EventKind::to_server: move_wire(event.subject); break;
      case EventKind::to_client: move_unread(event.subject); break;
      case EventKind::reset_server: reset_arrives_at_server(at(event.subject)); break;
      case EventKind::reset_client: reset_arrives_at_client(at(event.subject)); break;
      case EventKind::reset_plan: client_reset(event.subject); break;
      case EventKind::call: std::exchange(actions_[event.subject], nullptr)(); break;
    }
  }
}

// ---- Descriptors

std::size_t Network::index_of(Descriptor descriptor) const noexcept {
  const auto index = static_cast<std::size_t>(descriptor - first_descriptor);
  MR_ASSERT(descriptor >= first_descriptor && index < endpoints_.size());
  MR_ASSERT(endpoints_[index].open);
  return index;
}

Descriptor Network::new_descriptor() {
  if (free_.empty()) {
    endpoints_.emplace_back();
    free_.push(first_descriptor + static_cast<Descriptor>(endpoints_.size()) - 1);
  }
  const Descriptor descriptor = free_.top();
  free_.pop();
  endpoints_[static_cast<std::size_t>(descriptor - first_descriptor)] = {.open = true};
  ++open_;
  return descriptor;
}

void Network::changed(const Connection& connection) {
  if (connection.descriptor != no_descriptor) changed_.push_back(connection.descriptor);
}

std::vector<Descriptor> Network::take_changed() { return std::exchange(changed_, {}); }

Descriptor Network::listen() {
  const Descriptor descriptor = new_descriptor();
  endpoints_[index_of(descriptor)].listener = true;
  return descriptor;
}

bool Network::is_listener(Descriptor descriptor) const noexcept {
  return endpoints_[index_of(descriptor)].listener;
}

bool Network::connection_waits(Descriptor listener) const noexcept {
  return !endpoints_[index_of(listener)].backlog.empty();
}

Descriptor Network::accept(Descriptor listener) {
  std::vector<ConnectionId>& backlog = endpoints_[index_of(listener)].backlog;
  const ConnectionId id = backlog.front();
  backlog.erase(backlog.begin());
  const Descriptor descriptor = new_descriptor();  // Invalidates references to endpoints.
  endpoints_[index_of(descriptor)].connection = id;
  at(id).descriptor = descriptor;
  at(id).accepted = true;
  return descriptor;
}

Connection* Network::find(Descriptor descriptor) noexcept {
  const auto index = static_cast<std::size_t>(descriptor - first_descriptor);
  if (descriptor < first_descriptor || index >= endpoints_.size()) return nullptr;
  const Endpoint& endpoint = endpoints_[index];
  return endpoint.open && !endpoint.listener ? &at(endpoint.connection) : nullptr;
}

// ---- The client's bytes on their way to the server

ConnectionId Network::connect(Descriptor listener) {
  const auto id = static_cast<ConnectionId>(connections_.size());
  Connection& connection = connections_.emplace_back();
  connection.slow_reader = random_.chance(plan_.slow_reader);
  connection.wire_moving = true;  // Nothing overtakes the connect.
  push(EventKind::arrive, id, now_ + latency(), static_cast<std::uint32_t>(listener));
  if (random_.chance(plan_.reset)) {
    ++faults_.resets;
    push(EventKind::reset_plan, id, now_ + random_.below(plan_.reset_within_ns));
  }
  return id;
}

void Network::arrive(ConnectionId id, Descriptor listener) {
  Connection& connection = at(id);
  connection.wire_moving = false;
  const auto index = static_cast<std::size_t>(listener - first_descriptor);
  if (!endpoints_[index].open || !endpoints_[index].listener) return reset_arrives_at_client(connection);
  endpoints_[index].backlog.push_back(id);
  changed_.push_back(listener);
  wire_soon(id);
}

void Network::client_write(ConnectionId id, std::string_view bytes) {
  Connection& connection = at(id);
  MR_ASSERT(!connection.client_ended);
  if (connection.reset_at_client) return;
  connection.wire.append(bytes);
  wire_soon(id);
}

void Network::client_end(ConnectionId id) {
  Connection& connection = at(id);
  if (connection.client_ended) return;
  connection.client_ended = true;
  wire_soon(id);
}

void Network::wire_soon(ConnectionId id) {
  Connection& connection = at(id);
  const bool work = !connection.wire.empty() || (connection.client_ended && !connection.end_arrived);
  if (!work || connection.wire_moving || connection.reset_at_client) return;
  connection.wire_moving = true;
  push(EventKind::to_server, id, now_ + latency());
}

std::size_t Network::piece_of(std::size_t size_bytes) {
  if (size_bytes < 2 || !random_.chance(plan_.split_write)) return size_bytes;
  ++faults_.split_writes;
  return 1 + random_.below(size_bytes - 1);
}

void Network::move_wire(ConnectionId id) {
  Connection& connection = at(id);
  connection.wire_moving = false;
  if (connection.reset_at_server || connection.reset_at_client) return connection.wire.clear();
  if (connection.server_closed && !connection.wire.empty()) {
    // Bytes for a socket that is closed: it answers with a reset, which takes unread replies along.
    connection.wire.clear();
    push(EventKind::reset_client, id, now_ + latency());
    return;
  }
  const std::size_t size_bytes = piece_of(connection.wire.size());
  connection.arrived.append(connection.wire.front(size_bytes));
  connection.wire.consume(size_bytes);
  if (connection.wire.empty() && connection.client_ended) connection.end_arrived = true;
  changed(connection);
  wire_soon(id);
}

void Network::received(Connection& connection, std::size_t size_bytes) noexcept {
  connection.arrived.consume(size_bytes);
}

// ---- The server's bytes on their way to the client

std::size_t Network::send_room(const Connection& connection) const noexcept {
  const std::size_t used_bytes = connection.unread.size();
  return used_bytes >= plan_.send_buffer_bytes ? 0 : plan_.send_buffer_bytes - used_bytes;
}

void Network::send(Descriptor descriptor, std::string_view bytes, std::uint8_t type) {
  constexpr std::size_t record_bytes = 16'384;
  const ConnectionId id = id_of(descriptor);
  Connection& connection = at(id);
  MR_ASSERT(!connection.server_ended);
  MR_ASSERT(type == content || connection.sealer);
  if (!connection.sealer) connection.unread.append(bytes);
  for (; connection.sealer && !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), record_bytes)))
    connection.unread.append(connection.sealer->seal(type, bytes.substr(0, record_bytes)));
  unread_soon(id);
}

void Network::shutdown_send(Descriptor descriptor) {
  const ConnectionId id = id_of(descriptor);
  at(id).server_ended = true;
  if (at(id).sealer) at(id).unread.clear();  // As if nothing of it were in the socket yet.
  changed_.push_back(descriptor);
  unread_soon(id);
}

void Network::unread_soon(ConnectionId id) {
  Connection& connection = at(id);
  const bool work = !connection.unread.empty() || (connection.server_ended && !connection.end_received);
  const bool reads = connection.client_reads || connection.client_closed;
  if (!work || !reads || connection.unread_moving || connection.reset_at_client) return;
  connection.unread_moving = true;
  push(EventKind::to_client, id, now_ + (connection.slow_reader ? plan_.slow_reader_every_ns : latency()));
}

void Network::move_unread(ConnectionId id) {
  Connection& connection = at(id);
  connection.unread_moving = false;
  if (connection.reset_at_server || connection.reset_at_client) return connection.unread.clear();
  if (connection.client_closed && !connection.unread.empty()) {
    connection.unread.clear();
    push(EventKind::reset_server, id, now_ + latency());
    return;
  }
  if (!connection.client_reads && !connection.client_closed) return;
  std::size_t size_bytes = connection.unread.size();
  if (connection.slow_reader) size_bytes = std::min<std::size_t>(size_bytes, plan_.slow_reader_bytes);
  size_bytes = piece_of(size_bytes);
  connection.received.append(connection.unread.front(size_bytes));
  connection.unread.consume(size_bytes);
  if (connection.unread.empty() && connection.server_ended) connection.end_received = true;
  changed(connection);
  unread_soon(id);
  tell_client(connection);
}

void Network::client_reads(ConnectionId id, bool reads) {
  at(id).client_reads = reads;
  unread_soon(id);
}

// ---- Ends

// As Linux does it: a close with bytes unread, and a close by SO_LINGER 0, is a reset.
void Network::close(Descriptor descriptor, bool reset) {
  const std::size_t index = index_of(descriptor);
  Endpoint closed = std::exchange(endpoints_[index], {});
  --open_;
  free_.push(descriptor);
  if (closed.listener) {
    for (const ConnectionId id : closed.backlog) {
      at(id).server_closed = true;
      push(EventKind::reset_client, id, now_ + latency());
    }
    return;
  }
  const ConnectionId id = closed.connection;
  Connection& connection = at(id);
  connection.descriptor = no_descriptor;
  connection.server_closed = true;
  connection.server_ended = true;
  if (connection.sealer) connection.unread.clear();
  if (connection.reset_at_server) return;
  if (reset || !connection.arrived.empty()) {
    connection.unread.clear();
    push(EventKind::reset_client, id, now_ + latency());
    return;
  }
  unread_soon(id);
}

void Network::client_close(ConnectionId id) {
  Connection& connection = at(id);
  if (connection.client_closed) return;
  connection.client_closed = true;
  client_end(id);
  unread_soon(id);
}

void Network::client_reset(ConnectionId id) {
  Connection& connection = at(id);
  if (connection.reset_at_client) return;
  connection.client_ended = connection.client_closed = connection.reset_at_client = true;
  connection.wire.clear();
  push(EventKind::reset_server, id, now_ + latency());
}

// What had arrived before may still be read, or may be gone: an application sees both.
void Network::reset_arrives_at_server(Connection& connection) {
  if (connection.reset_at_server || connection.server_closed) return;
  connection.reset_at_server = connection.reset_at_client = connection.error_pending = true;
  connection.wire.clear();
  connection.unread.clear();
  if (random_.chance(500)) connection.arrived.clear();
  changed(connection);
}

void Network::reset_arrives_at_client(Connection& connection) {
  connection.reset_at_client = true;
  connection.wire.clear();
  connection.unread.clear();
  tell_client(connection);
}

}  // namespace millrace::io::sim
