// worker_extra.cpp: connections that are not plain HTTP: records of TLS, and WebSockets.
#include <utility>

#include "engine/base/assert.hpp"
#include "engine/ext/bench/messages.hpp"
#include "engine/ext/bench/worker.hpp"

namespace millrace::bench {
namespace {

constexpr std::uint32_t pong_mask = 0x5bd1'e995;  // The server chose what it hides.

}  // namespace

void Worker::consume_records(std::uint32_t index, std::string_view records) {
  Peer& peer = peers_[index];
  SecureStream& tls = *peer.extra->tls;
  const std::uint32_t generation = peer.generation;
  tls.feed(records);
  while (!peer.leaving && peer.generation == generation) {
    const std::size_t size = tls.read(plain_);
    if (size == 0) break;
    consume_plain(index, plain_.data(), size);
  }
  if (peer.leaving || peer.generation != generation) return;
  flush(index);
  if (!tls.fault().empty()) give_up(index, tls.fault());
}

/// Behind what is being sent.
void Worker::queue(Extra& extra, const std::string& bytes) {
  if (extra.tls != nullptr)
    extra.tls->write(bytes);
  else
    extra.queued += bytes;
}

/// Sends what waits in the extra, when nothing is being sent.
void Worker::flush(std::uint32_t index) {
  Peer& peer = peers_[index];
  Extra& extra = *peer.extra;
  if (peer.sending || peer.descriptor == io::no_descriptor) return;
  if (extra.tls != nullptr) extra.tls->take_records(extra.queued);
  if (extra.queued.empty()) return;
  extra.sending.clear();
  extra.sending.swap(extra.queued);
  peer.part = {extra.sending.data(), extra.sending.size()};
  send_part(index);
}

void Worker::consume_echoes(std::uint32_t index, const char* bytes, std::size_t size) {
  Peer& peer = peers_[index];
  const std::uint32_t generation = peer.generation;
  for (std::size_t at = 0; at != size && !peer.leaving && peer.generation == generation;) {
    const std::size_t kind = (peer.batch.first + peer.answered) % tape_.kinds();
    EchoTaken taken = peer.extra->echo->take(bytes + at, size - at, plan_.requests[kind].echo);
    at += taken.bytes;
    if (!taken.fault.empty() && taken.step != EchoStep::message)
      return give_up(index, std::move(taken.fault));
    if (!take_step(index, taken)) return;
  }
}

/// False where nothing behind it is read.
bool Worker::take_step(std::uint32_t index, EchoTaken& taken) {
  Peer& peer = peers_[index];
  switch (taken.step) {
    case EchoStep::need_more: return true;
    case EchoStep::opened:
      ++tally_.statuses[101];
      send_batch(index);
      return true;
    case EchoStep::message:
      if (peer.left() == 0) {
        give_up(index, "a message that echoes none");
        return false;
      }
      if (take_answer(peer, Taken{.whole = true, .fault = std::move(taken.fault)})) batch_answered(index);
      return true;
    case EchoStep::ping:
      queue(*peer.extra, pong_frame(peer.extra->echo->ping(), pong_mask));
      flush(index);
      return true;
    case EchoStep::close:
      if (peer.left() == 0)
        leave(index);
      else
        give_up(index, "closed by the server before the echo");
      return false;
  }
  MR_UNREACHABLE("a step that no reader takes");
}

}  // namespace millrace::bench
