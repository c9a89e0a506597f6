#include "engine/serve/chain.hpp"

#include <millrace/detail/chain_segment.hpp>
#include <millrace/outcome.hpp>
#include <millrace/reply.hpp>
#include <millrace/response.hpp>

#include <new>
#include <optional>
#include <utility>

#include "engine/base/assert.hpp"
#include "engine/serve/answer.hpp"
#include "engine/serve/held_source.hpp"
#include "engine/serve/scheduler.hpp"

namespace millrace::serve {
namespace {

/// The outermost segment of a coroutine's request, with a deadline perhaps.
class TimedSegment : public Segment {
 public:
  TimedSegment(proto::Exchange& exchange, const Chain& chain, std::uint32_t index) noexcept
      : Segment(exchange, chain, index), timer_(*this) {}
  ~TimedSegment() override { Scheduler::current()->stop_timer(timer_); }

 protected:
  void start_timer() noexcept {
    if (chain().timeout_ns != 0) Scheduler::current()->start_timer(timer_, chain().timeout_ns);
  }

 private:
  struct Timer : RequestTimer {
    explicit Timer(TimedSegment& of) noexcept
        : RequestTimer([](RequestTimer& self) noexcept { static_cast<Timer&>(self).segment.expire(); }),
          segment(of) {}
    TimedSegment& segment;
  };

  // The coroutines learn of it at their next co_await, and unwind as if the client had left.
  void expire() noexcept {
    proto::Exchange& x = exchange();
    if (x.scope.cancelled) return;
    if (x.stream != proto::StreamState::none) {
      if (x.stream != proto::StreamState::ended) x.streams->cut(x);
    } else if (x.replied) {
      return;  // A WebSocket: it was opened in time.
    } else {
      proto::ReplySink* const inner = std::exchange(x.sink, this);
      answer_error(x, *chain().state, {.status = 503});
      x.sink = inner;
    }
    Scheduler::current()->cancel(x.scope);
  }

  Timer timer_;
};

/// A coroutine's handler with befores and afters around it, but no coroutine: lives until the handler ends.
class PooledSegment final : public TimedSegment {
 public:
  static void start(proto::Exchange& exchange, const Chain& chain) noexcept {
    auto* segment = new (detail::frame_allocate(sizeof(PooledSegment))) PooledSegment(exchange, chain, 0);
    segment->start_timer();
    if (segment->enter() == Step::handler) {
      chain.handler.start(chain.handler.self, exchange.request);  // Calls finished().
    } else {
      segment->finished(exchange);
    }
  }
  void finished(proto::Exchange& exchange) noexcept override {
    proto::ReplySink& sink = outer();
    tell_done();
    this->~PooledSegment();
    detail::frame_release(this, sizeof(PooledSegment));
    sink.finished(exchange);
  }

 private:
  using TimedSegment::TimedSegment;
};

/// In a coroutine's frame.
class FramedSegment final : public TimedSegment {
 public:
  /// kept: gets the reply. Null: the reply goes outwards.
  FramedSegment(proto::Exchange& exchange, const Chain& chain, std::uint32_t index,
                std::optional<Response>* kept) noexcept
      : TimedSegment(exchange, chain, index), kept_(kept) {
    if (kept == nullptr) start_timer();
  }
  ~FramedSegment() override {
    if (kept_ == nullptr) tell_done();
  }

  /// True: it has ended.
  bool start_handler() noexcept {
    const detail::Entry& handler = chain().handler;
    handler.start(handler.self, exchange().request);
    return ended_ || !handler.asynchronous;
  }
  void wait(std::coroutine_handle<> handle) noexcept { waiting_ = handle; }
  void finished(proto::Exchange&) noexcept override {
    ended_ = true;
    if (waiting_) waiting_.resume();  // The handler's root has nothing left to do, so this nests once.
  }

 private:
  void deliver(const proto::ReplyView& view) noexcept override {
    if (kept_ == nullptr) return Segment::deliver(view);
    kept_->emplace(response_of(view));
  }
  const char* deliver_stream(const proto::ReplyView& head) noexcept override {
    if (kept_ == nullptr) return Segment::deliver_stream(head);
    kept_->emplace(response_of_stream(head));
    return outer().begin_stream(exchange(), head);
  }

  std::optional<Response>* kept_;
  std::coroutine_handle<> waiting_;
  bool ended_ = false;
};

const Chain& chain_of(const proto::Exchange& exchange) noexcept {
  MR_ASSERT(exchange.route != nullptr);
  const Chain* chain = static_cast<const Route*>(exchange.route)->chain;
  MR_ASSERT(chain != nullptr);
  return *chain;
}

const Chain& chain_at(void* self) noexcept { return *static_cast<const Chain*>(self); }

void start_synchronous(void* self, Request& request) noexcept {
  const Chain& chain = chain_at(self);
  Segment segment(request.exchange(), chain, 0);
  if (segment.enter() == Segment::Step::handler) chain.handler.start(chain.handler.self, request);
  segment.tell_done();
}

void start_asynchronous(void* self, Request& request) noexcept {
  PooledSegment::start(request.exchange(), chain_at(self));
}

void start_around(void* self, Request& request) noexcept {
  chain_at(self).first_around()->start_chain(request);
}

}  // namespace

const detail::Middleware* Chain::first_around() const noexcept {
  for (const detail::Middleware* one : middleware) {
    if (one->around != nullptr) return one;
  }
  return nullptr;
}

detail::Entry Chain::entry() const noexcept {
  const bool around = first_around() != nullptr;
  return {.start = around                 ? start_around
                   : handler.asynchronous ? start_asynchronous
                                          : start_synchronous,
          .self = const_cast<Chain*>(this),  // Entries are not const; this one is only read.
          .asynchronous = around || handler.asynchronous,
          .reads_parts = handler.reads_parts,
          .switches = handler.switches,
          .checks = handler.checks};
}

Segment::Segment(proto::Exchange& exchange, const Chain& chain, std::uint32_t index) noexcept
    : exchange_(exchange),
      chain_(chain),
      outer_(*exchange.sink),
      outermost_(index == 0 ? *this : static_cast<Segment&>(outer_).outermost_),
      started_(Scheduler::current()->now()),
      begin_(index),
      at_(index) {
  exchange.sink = this;
}

Segment::~Segment() {
  MR_ASSERT(exchange_.sink == this);
  exchange_.sink = &outer_;
}

Segment::Step Segment::enter() noexcept {
  for (; at_ < chain_.middleware.size(); ++at_) {
    const detail::Middleware& middleware = *chain_.middleware[at_];
    if (middleware.around != nullptr) return Step::around;
    if (middleware.before != nullptr && !middleware.before(middleware.self, exchange_.request))
      return Step::answered;
  }
  return Step::handler;
}

void Segment::enter_refused() noexcept {
  at_ = static_cast<std::uint32_t>(chain_.middleware.size());
  started_ = 0;
}

// Null, or what is wrong with the reply; those further out have not seen it then.
const char* Segment::run_afters(proto::ReplyView& view, Reply& reply) noexcept {
  while (at_ > begin_) {
    const detail::Middleware& middleware = *chain_.middleware[--at_];
    if (middleware.after == nullptr) continue;
    middleware.after(middleware.self, exchange_.request, reply);
    if (reply.problem_ == nullptr) [[likely]]
      continue;
    if (view.source != nullptr) view.source->release();
    return reply.problem_;
  }
  return nullptr;
}

void Segment::reply(proto::Exchange& exchange, const proto::ReplyView& view) noexcept {
  MR_ASSERT(&exchange == &exchange_);
  proto::ReplyView changed = view;
  Reply reply(changed, started_, false);
  if (const char* problem = run_afters(changed, reply)) {
    log_failure(exchange, problem);
    return answer_error(exchange, *chain_.state, {.status = 500});  // Comes back here, for those further out.
  }
  deliver(changed);
}

void Segment::reply_fixed(proto::Exchange& exchange, const proto::FixedReply& fixed) noexcept {
  reply(exchange, {.status = fixed.status,
                   .content_type = fixed.content_type,
                   .fields = fixed.fields,
                   .body = fixed.body});
}

void Segment::reply_source(proto::Exchange& exchange, const proto::FixedReply& fixed,
                           proto::BodySource& source, std::uint64_t source_bytes) noexcept {
  reply(exchange, {.status = fixed.status,
                   .content_type = fixed.content_type,
                   .fields = fixed.fields,
                   .source = &source,
                   .source_bytes = source_bytes});
}

// What a middleware spoils is told to the handler, which gets no stream.
const char* Segment::begin_stream(proto::Exchange& exchange, const proto::ReplyView& head) noexcept {
  MR_ASSERT(&exchange == &exchange_);
  proto::ReplyView changed = head;
  Reply reply(changed, started_, true);
  if (const char* problem = run_afters(changed, reply)) return problem;
  return deliver_stream(changed);
}

void Segment::finished(proto::Exchange&) noexcept { MR_UNREACHABLE("no coroutine runs in a plain segment"); }

void Segment::deliver(const proto::ReplyView& view) noexcept {
  status_ = view.status;
  const bool known = view.source == nullptr || view.source_bytes != proto::length_unknown;
  body_bytes_ = view.source == nullptr ? view.body.size() : known ? view.source_bytes : 0;
  outer_.reply(exchange_, view);
}

const char* Segment::deliver_stream(const proto::ReplyView& head) noexcept {
  status_ = head.status;
  return outer_.begin_stream(exchange_, head);
}

std::string_view Segment::request_id() noexcept { return outermost_.id_.text(exchange_.request); }

void Segment::tell_done() noexcept {
  MR_ASSERT(begin_ == 0);
  if (!chain_.tells_done) return;
  // A WebSocket's 101 goes past every sink.
  const std::uint16_t status = status_ == 0 && exchange_.replied ? 101 : status_;
  const bool bodiless = exchange_.head.method == http::Method::head || status_ == 204 || status_ == 304;
  const Outcome outcome{.status = status,
                        .body_bytes = bodiless ? 0 : body_bytes_ + exchange_.streamed_bytes,
                        .elapsed_ns = started_ != 0 ? Scheduler::current()->now() - started_ : 0};
  for (const detail::Middleware* middleware : chain_.middleware) {
    if (middleware->done != nullptr) middleware->done(middleware->self, exchange_.request, outcome);
  }
}

}  // namespace millrace::serve

namespace millrace::detail {

using serve::FramedSegment;

namespace {
FramedSegment& framed(unsigned char* storage) noexcept {
  return *std::launder(reinterpret_cast<FramedSegment*>(storage));
}
const FramedSegment& framed(const unsigned char* storage) noexcept {
  return *std::launder(reinterpret_cast<const FramedSegment*>(storage));
}
}  // namespace

ChainSegment::ChainSegment(Request& request, std::uint32_t index, bool captures) noexcept {
  static_assert(sizeof(FramedSegment) <= storage_bytes);
  proto::Exchange& exchange = request.exchange();
  new (storage_) FramedSegment(exchange, serve::chain_of(exchange), index, captures ? &kept_ : nullptr);
}

ChainSegment::~ChainSegment() { framed(storage_).~FramedSegment(); }

ChainSegment::Step ChainSegment::enter() noexcept {
  switch (framed(storage_).enter()) {
    case serve::Segment::Step::answered: return Step::answered;
    case serve::Segment::Step::around: return Step::around;
    case serve::Segment::Step::handler: return Step::handler;
  }
  MR_UNREACHABLE("a step outside the enumeration");
}

const Middleware& ChainSegment::around() const noexcept {
  const FramedSegment& segment = framed(storage_);
  return *segment.chain().middleware[segment.at()];
}

std::uint32_t ChainSegment::next_index() const noexcept { return framed(storage_).at() + 1; }

Response ChainSegment::take() noexcept {
  if (kept_) return std::move(*kept_);
  return serve::response_of_stream({.status = 101});  // A WebSocket, which has ended by now.
}

bool ChainSegment::start_handler() noexcept { return framed(storage_).start_handler(); }
void ChainSegment::wait(std::coroutine_handle<> handle) noexcept { framed(storage_).wait(handle); }

}  // namespace millrace::detail
