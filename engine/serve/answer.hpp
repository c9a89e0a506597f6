// answer.hpp: responses and errors, on their way to the sink.
#pragma once

#include <millrace/response.hpp>

#include <cstdint>
#include <string_view>

#include "engine/proto/exchange.hpp"
#include "engine/serve/app_state.hpp"

namespace millrace::serve {

/// Sends a valid response.
void send(proto::Exchange& exchange, const Response& response) noexcept;

/// The reply as a response that owns its parts, and takes over the source of its body.
Response response_of(const proto::ReplyView& view);
/// The head of a stream that was begun: its body is elsewhere, and cannot be sent again.
Response response_of_stream(const proto::ReplyView& head);

struct Failure {
  std::uint16_t status = 500;
  std::string_view fields = {};   ///< That the status asks for: "Allow: ...\r\n".
  std::string_view message = {};  ///< The body, where there is no page; empty: "404 Not Found\n".
  bool close = false;             ///< The connection ends with it.
};

/// Answers with the application's page for the status, or with a text. A page that fails itself makes it
/// a 500 with a text.
void answer_error(proto::Exchange& exchange, const AppState& state, const Failure& failure) noexcept;

/// Writes one line to standard error: method, path and what went wrong. What the client sent cannot break
/// the line, nor reach a terminal with control characters.
void log_failure(const proto::Exchange& exchange, std::string_view what) noexcept;

}  // namespace millrace::serve
