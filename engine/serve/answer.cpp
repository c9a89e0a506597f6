#include "engine/serve/answer.hpp"

#include <unistd.h>

#include <array>
#include <charconv>
#include <memory>
#include <string>

#include "engine/http/status.hpp"
#include "engine/serve/held_source.hpp"

namespace millrace::serve {
namespace {

/// "404 Not Found\n".
std::string_view write_reason(unsigned status, std::array<char, 64>& out) noexcept {
  char* to = std::to_chars(out.data(), out.data() + out.size(), status).ptr;
  const std::string_view reason = http::reason_of(status);
  if (!reason.empty()) *to++ = ' ';
  to += reason.copy(to, reason.size());
  *to++ = '\n';
  return {out.data(), static_cast<std::size_t>(to - out.data())};
}

/// The application's page for the failure; false where there is none, or it failed.
bool answer_by_page(proto::Exchange& exchange, const detail::ErrorPage& page,
                    const Failure& failure) noexcept {
  Response response;
  if (!page.make(page.self, exchange.request, response)) return false;
  if (response.problem() != nullptr) {
    log_failure(exchange, response.problem());
    return false;
  }
  std::string fields(response.fields());
  fields += failure.fields;
  exchange.sink->reply(
      exchange,
      {.status = static_cast<std::uint16_t>(response.has_status() ? response.status() : failure.status),
       .content_type = response.content_type(),
       .fields = fields,
       .body = response.body(),
       .close = response.closes() || failure.close,
       .date = !response.has_date()});
  return true;
}

}  // namespace

/// The engine's door to what a Response keeps for itself.
struct ResponseParts {
  static proto::ReplyView view_of(const Response& response) noexcept {
    proto::ReplyView view{.status = static_cast<std::uint16_t>(response.status()),
                          .content_type = response.content_type(),
                          .fields = response.fields(),
                          .body = response.body(),
                          .close = response.closes(),
                          .date = !response.has_date()};
    // RFC 9110 section 15.3.6: a 205 tells the client to reset its form, and has a length of 0.
    if (response.status() == 205) view.body = {};
    if (response.held_ != nullptr && response.status() != 205) [[unlikely]] {
      view.source = response.held_->take();
      if (view.source != nullptr) view.source_bytes = response.held_->bytes();
    }
    return view;
  }
  static Response response_of(const proto::ReplyView& view) {
    Response response;
    response.status_ = view.status;
    response.content_type_ = view.content_type;
    response.fields_ = view.fields;
    response.close_ = view.close;
    response.has_date_ = !view.date;
    if (view.source != nullptr) {
      hold(response, view.source, view.source_bytes);
    } else {
      response.body_ = view.body;
    }
    return response;
  }
  static void hold(Response& response, proto::BodySource* source, std::uint64_t bytes) {
    response.held_ = std::make_shared<detail::HeldSource>(source, bytes);
  }
};

void send(proto::Exchange& exchange, const Response& response) noexcept {
  exchange.sink->reply(exchange, ResponseParts::view_of(response));
}

Response response_of(const proto::ReplyView& view) { return ResponseParts::response_of(view); }

Response response_of_stream(const proto::ReplyView& head) {
  Response response = ResponseParts::response_of(head);
  ResponseParts::hold(response, nullptr, 0);
  return response;
}

void answer_error(proto::Exchange& exchange, const AppState& state, const Failure& failure) noexcept {
  Failure told = failure;
  if (const detail::ErrorPage* page = state.error_page(failure.status)) {
    if (answer_by_page(exchange, *page, failure)) return;
    told = {.status = 500, .close = failure.close};
  }
  std::array<char, 64> reason;
  exchange.sink->reply(exchange,
                       {.status = told.status,
                        .content_type = proto::plain_type,
                        .fields = told.fields,
                        .body = told.message.empty() ? write_reason(told.status, reason) : told.message,
                        .close = told.close});
}

void log_failure(const proto::Exchange& exchange, std::string_view what) noexcept {
  std::array<char, 1024> line;
  std::size_t size = 0;
  const auto put = [&](std::string_view text, std::size_t bytes_max) {
    for (const char byte : text.substr(0, bytes_max)) {
      if (size + 1 == line.size()) return;
      const auto value = static_cast<unsigned char>(byte);
      line[size++] = value < 0x20 || value == 0x7f ? '?' : byte;
    }
  };
  put("millrace: ", line.size());
  put(exchange.head.method_text(), 32);
  put(" ", 1);
  put(exchange.target.path, 256);
  put(": ", 2);
  put(what, line.size());
  line[size++] = '\n';
  // A log that cannot be written is no reason to fail the request.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), size);
}

}  // namespace millrace::serve
