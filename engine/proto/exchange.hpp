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
#include <span>
#include <string_view>

#include "engine/base/list.hpp"
#include "engine/base/result.hpp"
#include "engine/http/framing.hpp"
#include "engine/http/head.hpp"
#include "engine/http/target.hpp"
#include "engine/io/backend.hpp"

namespace millrace::proto {

class Exchange;

/// Pulled from when the connection has room: a body too large to hold (a file).
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// Fills `out` from the front. Returns bytes written, > 0; or an Error, after which the connection
  /// is closed because the declared length can no longer be kept.
  virtual Result<std::size_t> read(std::span<char> out) noexcept = 0;
  /// Gives itself back (the session never deletes).
  virtual void release() noexcept = 0;
};

inline constexpr std::string_view plain_type = "text/plain; charset=utf-8";

/// A reply as views; the sink copies what it needs before it returns, unless said otherwise.
struct ReplyView {
  std::uint16_t status = 200;
  std::string_view content_type;  ///< Empty: no Content-Type field.
  std::string_view
      fields;             ///< More fields, serialised: "Name: value\r\n"..., valid (no CR, LF or NUL inside).
  std::string_view body;  ///< Ignored where `source` is set.
  BodySource* source = nullptr;    ///< Ownership passes to the sink.
  std::uint64_t source_bytes = 0;  ///< Content-Length for `source`.
  bool close = false;              ///< Close the connection after this reply.
  bool date = true;
};

/// A reply serialised once at start: everything but the date.
struct FixedReply {
  std::string_view
      head;  ///< Status line and fields with the blank line; a Date value of date_bytes at date_at.
  std::string_view body;
  std::uint32_t date_at = 0;
};

/// Who answers: the session. Each exchange is answered exactly once.
class ReplySink {
 public:
  /// Adds framing (Content-Length, Connection), drops the body for HEAD, 1xx, 204 and 304 (RFC 9110 section 6.4.1).
  virtual void reply(Exchange& exchange, const ReplyView& view) noexcept = 0;
  virtual void reply_fixed(Exchange& exchange, const FixedReply& fixed) noexcept = 0;
  /// 200 with a text of plain_type and nothing else: what most small handlers give.
  virtual void reply_plain(Exchange& exchange, std::string_view body) noexcept {
    reply(exchange, {.content_type = plain_type, .body = body});
  }
  /// The asynchronous exchange's coroutine has ended; called after the reply, or without one when it
  /// was cancelled. The exchange is gone afterwards.
  virtual void finished(Exchange& exchange) noexcept = 0;

 protected:
  ~ReplySink() = default;
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
  bool asynchronous = false;  ///< The handler may suspend: prepare before start().

  bool replied = false;
  detail::Scope scope;  ///< Where the coroutine waits, and whether it was cancelled.

  // Per request, for the application.
  void* user_data = nullptr;
  void (*on_done)(void* user_data) noexcept = nullptr;

  io::Descriptor descriptor = io::no_descriptor;
};

/// What a protocol session needs of the layer above it.
class RequestHandler {
 public:
  /// Finds the route: sets route (null: start() answers 404, 405, or 501 for a method nobody knows),
  /// parameters, asynchronous. Never replies.
  virtual void route(Exchange& exchange) noexcept = 0;
  /// Runs the handler. A synchronous one has replied when this returns; an asynchronous one has
  /// started its coroutine, and calls sink->finished() when that ends (perhaps before this returns).
  virtual void start(Exchange& exchange) noexcept = 0;
  /// Answers an Error of the protocol (400, 413, 501...) with the application's error pages. Replies.
  virtual void refuse(Exchange& exchange, Error error) noexcept = 0;

 protected:
  ~RequestHandler() = default;
};

}  // namespace millrace::proto
