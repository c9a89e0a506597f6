// chain.hpp: the middleware around a handler, resolved once at start, and its way through one request.
//
//   Dispatch -> Entry of the chain -> Segment::enter: befores -> handler -> Segment::reply: afters -> ReplySink
//
// Cost        routes without middleware have no chain: their own Entry stays in its place.
// Invariants  (1) an after sees a reply exactly if its before was passed, or the engine refused the request.
//             (2) while a Segment lives it is its exchange's sink; segments of an exchange nest.
#pragma once

#include <millrace/detail/bridge.hpp>

#include <coroutine>
#include <cstdint>
#include <vector>

#include "engine/base/clock.hpp"
#include "engine/proto/exchange.hpp"
#include "engine/serve/app_state.hpp"
#include "engine/serve/request_id.hpp"

namespace millrace::serve {

/// Owned by a Dispatch; read-only.
struct Chain {
  const AppState* state;
  std::vector<const detail::Middleware*> middleware = {};  ///< Outermost first.
  detail::Entry handler;                                   ///< Not owned.
  TimeNs timeout_ns = 0;                                   ///< For coroutines; 0: none.
  bool tells_done = false;                                 ///< Some of it has done().

  const detail::Middleware* first_around() const noexcept;
  /// What stands in the handler's place. The chain must stay where it is.
  detail::Entry entry() const noexcept;
};

/// One stretch of a chain: from a coroutine, or the beginning, to the next one, or the handler.
class Segment : public proto::ReplySink {
 public:
  Segment(proto::Exchange& exchange, const Chain& chain, std::uint32_t index) noexcept;
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  virtual ~Segment();

  enum class Step : std::uint8_t { answered, around, handler };
  /// Runs the befores.
  Step enter() noexcept;
  /// Every after is for what comes next, though no before was run: the engine refuses the request itself.
  void enter_refused() noexcept;

  const Chain& chain() const noexcept { return chain_; }
  std::uint32_t at() const noexcept { return at_; }
  proto::Exchange& exchange() const noexcept { return exchange_; }

  void reply(proto::Exchange& exchange, const proto::ReplyView& view) noexcept override;
  void reply_fixed(proto::Exchange& exchange, const proto::FixedReply& fixed) noexcept override;
  void reply_source(proto::Exchange& exchange, const proto::FixedReply& fixed, proto::BodySource& source,
                    std::uint64_t source_bytes) noexcept override;
  const char* begin_stream(proto::Exchange& exchange, const proto::ReplyView& head) noexcept override;
  void finished(proto::Exchange& exchange) noexcept override;
  const net::Transport* transport(const proto::Exchange& exchange) const noexcept override {
    return outer_.transport(exchange);
  }

  /// Of the whole request: what came with it, else one that is made when it is asked for first.
  std::string_view request_id() noexcept;

  /// Of the outermost one, at the end of the request: tells every middleware what became of it.
  void tell_done() noexcept;

 protected:
  /// What all afters have seen.
  virtual void deliver(const proto::ReplyView& view) noexcept;
  virtual const char* deliver_stream(const proto::ReplyView& head) noexcept;
  proto::ReplySink& outer() const noexcept { return outer_; }

 private:
  const char* run_afters(proto::ReplyView& view, Reply& reply) noexcept;

  proto::Exchange& exchange_;
  const Chain& chain_;
  proto::ReplySink& outer_;
  Segment& outermost_;
  TimeNs started_;
  RequestId id_;  ///< Of the outermost.
  std::uint32_t begin_;
  std::uint16_t status_ = 0;  ///< Of what was delivered; 0: nothing was.
  std::uint64_t body_bytes_ = 0;
  std::uint32_t at_;  ///< The afters before it, from begin_ on, have not seen a reply.
};

}  // namespace millrace::serve
