// parts.cpp: bodies in parts, between the awaiters of the public headers and the protocol.
#include <millrace/detail/parts.hpp>
#include <millrace/request.hpp>
#include <millrace/response.hpp>

#include "engine/base/assert.hpp"
#include "engine/http/trailer.hpp"
#include "engine/proto/exchange.hpp"
#include "engine/serve/scheduler.hpp"

namespace millrace::detail {
namespace {

using proto::StreamState;

void await(PartWaiter& waiter, std::coroutine_handle<> handle, proto::Awaiting what) noexcept {
  waiter.request->exchange().awaiting = what;
  waiter.cancel = [](Waiter& self) noexcept {
    proto::Exchange& exchange = static_cast<PartWaiter&>(self).request->exchange();
    exchange.awaiting = proto::Awaiting::nothing;
    exchange.unsent = {};  // The bytes are the writer's, who goes on without them.
  };
  serve::Scheduler* scheduler = serve::Scheduler::current();
  MR_ASSERT(scheduler != nullptr);  // Whoever reads or writes in parts is a coroutine of a core.
  scheduler->suspend(waiter, handle);
}

}  // namespace

const char* stream_begin(const Request& request, const Response& head, std::uint64_t length_bytes) noexcept {
  proto::Exchange& exchange = request.exchange();
  if (exchange.streams == nullptr)
    return "only a coroutine (a handler that gives an mr::Task) can stream its reply";
  if (exchange.stream != StreamState::none) return "the reply of a request can be streamed only once";
  if (exchange.replied) return "the request has been answered: there is nothing to stream";
  if (head.problem() != nullptr) return head.problem();
  return exchange.sink->begin_stream(exchange, {.status = static_cast<std::uint16_t>(head.status()),
                                                .content_type = head.content_type(),
                                                .fields = head.fields(),
                                                .source_bytes = length_bytes,
                                                .close = head.closes(),
                                                .date = !head.has_date()});
}

PartWrite stream_write(const Request& request, std::string_view bytes) noexcept {
  proto::Exchange& exchange = request.exchange();
  if (exchange.stream != StreamState::open) return PartWrite::ended;
  exchange.unsent = bytes;
  if (!exchange.streams->push(exchange)) return PartWrite::too_long;
  exchange.streamed_bytes += bytes.size();
  return exchange.unsent.empty() ? PartWrite::done : PartWrite::wait;
}

const char* stream_trailer(const Request& request, std::string_view name, std::string_view value) noexcept {
  proto::Exchange& exchange = request.exchange();
  if (exchange.stream != StreamState::open && exchange.stream != StreamState::trailers) {
    return "a stream got a trailer after its end";
  }
  const Response field = Response().header(name, value);
  if (field.problem() != nullptr) return field.problem();
  if (field.fields().empty() || http::forbidden_in_trailer(name)) {
    return "a stream got a trailer that must be a header: framing, routing, authentication or content fields";
  }
  exchange.streams->trailer(exchange, field.fields());
  return nullptr;
}

void stream_end(const Request& request) noexcept {
  proto::Exchange& exchange = request.exchange();
  const bool open = exchange.stream == StreamState::open || exchange.stream == StreamState::trailers;
  if (open) exchange.streams->end(exchange);
}

void stream_idle_text(const Request& request, std::string_view text, std::uint64_t idle_ns) noexcept {
  proto::Exchange& exchange = request.exchange();
  exchange.idle_text = text;
  exchange.idle_ns = static_cast<TimeNs>(idle_ns);
}

// Where nothing is sent nothing will make room either: the others run, then it goes on.
void await_room(PartWaiter& waiter, std::coroutine_handle<> handle) noexcept {
  proto::Exchange& exchange = waiter.request->exchange();
  const bool sent = !exchange.drops_content;
  await(waiter, handle, sent ? proto::Awaiting::room : proto::Awaiting::nothing);
  if (sent) return;
  exchange.unsent = {};
  serve::Scheduler::current()->wake(waiter);
}

PartRead body_next(const Request& request, std::string_view& part) noexcept {
  proto::Exchange& exchange = request.exchange();
  if (exchange.streams == nullptr) return PartRead::end;  // No coroutine of a request's.
  const proto::BodyPart next = exchange.streams->next(exchange);
  part = next.bytes;
  switch (next.state) {
    case proto::BodyPart::State::bytes: return PartRead::bytes;
    case proto::BodyPart::State::end: return PartRead::end;
    case proto::BodyPart::State::wait: return PartRead::wait;
  }
  MR_UNREACHABLE("a part of a body in no state");
}

PartRead body_collect(const Request& request, std::string_view& body) noexcept {
  proto::Exchange& exchange = request.exchange();
  const Errc collected = exchange.streams != nullptr ? exchange.streams->collect(exchange) : Errc::ok;
  if (collected == Errc::need_more) return PartRead::wait;
  if (collected != Errc::ok) return PartRead::no_memory;
  body = exchange.body;
  return PartRead::bytes;
}

void await_body(PartWaiter& waiter, std::coroutine_handle<> handle) noexcept {
  await(waiter, handle, proto::Awaiting::body);
}

bool body_view(const Request& request, std::string_view& body) noexcept {
  const proto::Exchange& exchange = request.exchange();
  body = exchange.body;
  return exchange.body_whole;
}

}  // namespace millrace::detail
