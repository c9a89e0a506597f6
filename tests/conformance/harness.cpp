#include "tests/conformance/harness.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <utility>

namespace millrace::conformance {

using io::Completion;
using io::Op;

std::size_t Harness::turn(TimeNs span) {
  Completion done[64];
  const std::size_t count = backend().wait(done, backend().now() + span);
  pending_.insert(pending_.end(), done, done + count);
  return count;
}

void Harness::fail_after(TimeNs limit) { REQUIRE(backend().now() < limit); }

Completion Harness::next() {
  until([&] { return !pending_.empty(); });
  const Completion done = pending_.front();
  pending_.erase(pending_.begin());
  return done;
}

std::vector<Completion> Harness::rest() {
  while (turn(30 * ns_per_ms) != 0) {
  }
  return take();
}

std::vector<Completion> Harness::take() { return std::exchange(pending_, {}); }

// A listener a harness, whose accept ends again, so that a case sees its own completions alone.
Harness::Pair Harness::pair() {
  if (pair_listener_ == io::no_descriptor) pair_listener_ = listen();
  const io::Token token(Op::accept, 0xabcdef, 0);
  auto peer = connect(pair_listener_);
  backend().accept(token, pair_listener_);
  const Completion accepted = next();
  REQUIRE(accepted.token == token);
  REQUIRE(accepted.result >= 0);
  if (accepted.more) {
    backend().cancel(token);
    CHECK(next().result == -ECANCELED);
  }
  return {std::move(peer), accepted.result};
}

void Harness::give_back(const Completion& done) {
  if (done.has_buffer) backend().give_back({&done.buffer_id, 1});
}

std::string Harness::bytes_of(const Completion& done) {
  REQUIRE(done.result > 0);
  REQUIRE(done.has_buffer);
  std::string bytes(backend().buffer(done.buffer_id), static_cast<std::size_t>(done.result));
  give_back(done);
  return bytes;
}

// Arms, and arms again where the operation ended; leaves it armed or ended with the last bytes.
std::string Harness::receive(const Pair& pair, io::Token token, std::size_t size_bytes) {
  std::string got;
  backend().recv(token, pair.descriptor);
  while (got.size() < size_bytes) {
    const Completion done = next();
    REQUIRE(done.token == token);
    if (done.result != -ENOBUFS) got += bytes_of(done);
    if (!done.more && got.size() < size_bytes) backend().recv(token, pair.descriptor);
  }
  return got;
}

}  // namespace millrace::conformance
