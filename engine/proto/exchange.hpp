// exchange.hpp: one request and its reply, as the protocol gives it to the application.
//
//   h1::Session -> route() -> prepare -> start() -> ReplySink::reply()
//
// Owner       a sync handler's exchange is the core's scratch, gone when start() returns; a coroutine's
//             comes from the core's slab and lives until its coroutine has ended.
// Lifetime    every view here is valid until then: the session pins or copies the bytes of an
//             asynchronous exchange before start().
#pragma once

#include <millrace/detail/scope.hpp>
#include <millrace/request.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "engine/base/list.hpp"
#include "engine/base/result.hpp"
#include "engine/http/framing.hpp"
#include "engine/http/head.hpp"
#include "engine/http/target.hpp"
#include "engine/io/backend.hpp"
#include "engine/net/file_part.hpp"
#include "engine/net/transport.hpp"

namespace millrace::net {
struct Connection;
}

namespace millrace::proto {

class Exchange;

/// Takes over a connection whose reply was 101 (Switching Protocols): RFC 9110 section 7.8.
class Successor {
 public:
  /// The reply is in the output, behind all before it; what came behind the request is in
  /// Connection::input. The successor sets Connection::protocol and builds its own state. The exchange
  /// lives on until its coroutine ends. `context` as given to switch_protocols(). Not called where the client has left before.
  virtual void take_over(net::Connection& connection, void* context) noexcept = 0;

 protected:
  ~Successor() = default;
};

/// The length of a body that nobody knows beforehand: it is sent in chunks (RFC 9112 section 7.1), or up to
/// the close of the connection to a client of HTTP/1.0.
inline constexpr std::uint64_t length_unknown = ~std::uint64_t{0};

/// Pulled from when the connection has room: a body too large to hold (a file).
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// Fills `out` from the front. Returns bytes written, > 0, or 0 at the end of a body of unknown length;
  /// or an Error, after which the connection is closed because the message can no longer be completed.
  virtual Result<std::size_t> read(std::span<char> out) noexcept = 0;
  /// Where all of the body is a part of a file: that. It may be sent from there instead of being read.
  virtual const net::FilePart* file() const noexcept { return nullptr; }
  /// Gives itself back (the session never deletes).
  virtual void release() noexcept = 0;
};

inline constexpr std::string_view plain_type = "text/plain; charset=utf-8";

/// A reply as views; the sink copies what it needs before it returns, unless said otherwise.
struct ReplyView {
  std::uint16_t status = 200;
  std::string_view content_type = {};  ///< Empty: no Content-Type field.
  /// More fields, serialised: "Name: value\r\n"..., valid (no CR, LF or NUL inside).
  std::string_view fields = {};
  std::string_view body = {};      ///< Ignored where `source` is set.
  BodySource* source = nullptr;    ///< Ownership passes to the sink.
  std::uint64_t source_bytes = 0;  ///< Of `source`, or of what is streamed; or length_unknown.
  bool close = false;              ///< Close the connection after this reply.
  bool date = true;
};

/// A reply serialised once at start: everything but the date.
struct FixedReply {
  std::string_view
      head;  ///< Status line and fields with the blank line; a Date value of date_bytes at date_at.
  std::string_view body;
  std::uint32_t date_at = 0;
  // The same in parts, for who has something to add.
  std::uint16_t status = 200;
  std::string_view content_type = {};
  std::string_view fields = {};
};

/// Who answers: the session, or middleware before it. Each exchange is answered exactly once.
class ReplySink {
 public:
  /// Adds framing (Content-Length, Connection), drops the body for HEAD, 1xx, 204 and 304 (RFC 9110 section 6.4.1).
  virtual void reply(Exchange& exchange, const ReplyView& view) noexcept = 0;
  virtual void reply_fixed(Exchange& exchange, const FixedReply& fixed) noexcept = 0;
  /// A reply serialised before, whose body is pulled: fixed.body is not looked at. Takes the source; for
  /// HEAD it is not read.
  virtual void reply_source(Exchange& exchange, const FixedReply& fixed, BodySource& source,
                            std::uint64_t source_bytes) noexcept = 0;
  /// 200 with a text of plain_type and nothing else: what most small handlers give.
  virtual void reply_plain(Exchange& exchange, std::string_view body) noexcept {
    reply(exchange, {.content_type = plain_type, .body = body});
  }
  /// The head of a reply that is streamed: on its way to Streams::begin(). Null, or why there is none;
  /// then nothing was sent.
  virtual const char* begin_stream(Exchange& exchange, const ReplyView& head) noexcept;
  /// The asynchronous exchange's coroutine has ended; called after the reply, or without one when it
  /// was cancelled. The exchange is gone afterwards.
  virtual void finished(Exchange& exchange) noexcept = 0;
  /// What lies under the exchange's connection; null: plain TCP, or the client has left.
  virtual const net::Transport* transport(const Exchange& exchange) const noexcept = 0;

 protected:
  ~ReplySink() = default;
};

/// A part of a request's body; its bytes are valid until the next one is asked for.
struct BodyPart {
  enum class State : std::uint8_t { bytes, end, wait };
  State state = State::end;
  std::string_view bytes;
};

/// What a coroutine waits for, of its connection. Its waiter is the scope's.
enum class Awaiting : std::uint8_t {
  nothing,
  room,  ///< For Exchange::unsent to be taken.
  body,  ///< For a part of the request's body; where it is collected, for all of it.
};

/// How far a streamed reply is.
enum class StreamState : std::uint8_t {
  none,      ///< The reply is no stream.
  open,      ///< Content may follow.
  trailers,  ///< The content has ended; trailer fields may follow.
  ended,
};

/// What an asynchronous exchange may ask beside its reply: bodies that come and go in parts, and another protocol. Where the client has left, writing does
/// nothing: the coroutine learns of it at its next co_await.
class Streams {
 public:
  /// Starts a reply: the head as in ReplySink::reply(), without body and source; source_bytes is its length.
  virtual void begin(Exchange& exchange, const ReplyView& head) noexcept = 0;
  /// Takes from Exchange::unsent what there is room for. What is left is taken later: await room.
  /// False, and nothing is taken, where it is more than was declared.
  virtual bool push(Exchange& exchange) noexcept = 0;
  /// Ends the content of a reply in chunks and adds a field behind it: `line` is "Name: value\r\n", valid.
  /// False, and nothing is sent, where the reply is not in chunks.
  /// Exchange::unsent is the last of the content: a few bytes, taken whatever room there is.
  virtual bool trailer(Exchange& exchange, std::string_view line) noexcept = 0;
  /// The reply is complete, with Exchange::unsent as in trailer(). One that is shorter than declared is cut.
  virtual void end(Exchange& exchange) noexcept = 0;
  /// The reply will never be complete: closes the connection, so that nobody takes it for whole.
  virtual void cut(Exchange& exchange) noexcept = 0;
  /// The next part of the request's body, in order. On State::wait: await body, then ask again.
  virtual BodyPart next(Exchange& exchange) noexcept = 0;
  /// Gathers what is left of the body into Exchange::body. Returns ok, need_more (await body, then ask
  /// again), or limit_reached where there is no memory.
  virtual Errc collect(Exchange& exchange) noexcept = 0;
  /// Answers 101 with these fields (as in ReplyView), and hands the connection over in its turn; only where
  /// RequestHandler::may_switch() said so. False, and nothing is answered, where the connection ends with
  /// this request.
  virtual bool switch_protocols(Exchange& exchange, std::string_view fields, Successor& successor,
                                void* context) noexcept = 0;

 protected:
  ~Streams() = default;
};

/// What an exchange keeps until it ends, for whoever put it there.
class Attachment {
 public:
  virtual ~Attachment() = default;
};

struct ExchangeTag;

class Exchange : public ListLink<ExchangeTag> {
 public:
  static constexpr unsigned parameters_max = 8;

  explicit Exchange(ReplySink& answerer) noexcept : request(this), sink(&answerer) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Request request;  ///< What the handler sees; a handle on this.
  ReplySink* sink;
  http::Head head;
  http::Target target;
  http::Framing framing;
  std::string_view body;
  std::string_view trailers;  ///< "name: value\r\n"..., or empty.

  // Set by RequestHandler::route().
  const void* route = nullptr;  ///< The dispatcher's own; opaque here.
  std::array<std::string_view, parameters_max> parameters;
  std::uint8_t parameter_count = 0;
  bool asynchronous = false;         ///< The handler may suspend: prepare before start().
  bool reads_parts = false;          ///< Asynchronous, and started before its body is there.
  std::uint64_t body_bytes_max = 0;  ///< Of the body, in place of the server's; 0: the server's.

  bool replied = false;
  bool body_whole = true;  ///< `body` is all of it.
  Awaiting awaiting = Awaiting::nothing;
  StreamState stream = StreamState::none;
  std::uint64_t streamed_bytes = 0;        ///< Content that was written, with or without chunks the same.
  std::string_view unsent;                 ///< What the stream's writer waits to see taken.
  bool drops_content = false;              ///< The reply has none: HEAD, 204, 205, 304.
  Streams* streams = nullptr;              ///< Null for a synchronous exchange.
  std::unique_ptr<Attachment> attachment;  ///< Of an asynchronous exchange, or null.
  std::string_view idle_text;              ///< Sent when the stream was silent for idle_ns, if not empty.
  TimeNs idle_ns = 0;
  detail::Scope scope;  ///< Where the coroutine waits, and whether it was cancelled.

  // Per request, for the application.
  void* user_data = nullptr;
  void (*on_done)(void* user_data) noexcept = nullptr;

  io::Descriptor descriptor = io::no_descriptor;
};

inline const char* ReplySink::begin_stream(Exchange& exchange, const ReplyView& head) noexcept {
  exchange.streams->begin(exchange, head);
  return nullptr;
}

/// What a protocol session needs of the layer above it.
class RequestHandler {
 public:
  /// Finds the route: sets route (null: start() answers 404, 405, or 501 for a method nobody knows),
  /// parameters, asynchronous, reads_parts, body_bytes_max. Never replies. Called twice for a request
  /// whose body comes late.
  virtual void route(Exchange& exchange) noexcept = 0;
  /// Runs the handler. A synchronous one has replied when this returns; an asynchronous one has
  /// started its coroutine, and calls sink->finished() when that ends (perhaps before this returns).
  virtual void start(Exchange& exchange) noexcept = 0;
  /// Asked for an asynchronous request with an Upgrade field, before start(): whether its reply may be a 101.
  /// Then nothing behind it is read until it is answered.
  virtual bool may_switch(const proto::Exchange&) const noexcept { return false; }
  /// Answers an Error of the protocol (400, 413, 501...) with the application's error pages. Replies.
  virtual void refuse(Exchange& exchange, Error error) noexcept = 0;

 protected:
  ~RequestHandler() = default;
};

}  // namespace millrace::proto
