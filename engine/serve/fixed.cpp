// fixed.cpp: the bytes of a reply, but for its date. Source: RFC 9112 section 4, RFC 9110 section 8.6.
#include <millrace/fixed.hpp>

#include <string>

#include "engine/http/date.hpp"
#include "engine/http/status.hpp"
#include "engine/serve/fixed_bytes.hpp"

namespace millrace {
namespace {

std::string status_line(unsigned status) {
  const std::string_view known = http::status_line_of(status);
  if (!known.empty()) return std::string(known);
  return "HTTP/1.1 " + std::to_string(status) + " \r\n";
}

void serialise(detail::FixedBytes& bytes) {
  const Response& response = bytes.response;
  // A status of 204 or 304 has no content, whatever the body (RFC 9110 section 6.4.1).
  const bool has_content = response.status() != 204 && response.status() != 304;
  // A 205 has the length 0 (section 15.3.6).
  const std::string_view body = response.status() == 205 ? std::string_view() : response.body();
  std::string& head = bytes.head;
  head = status_line(response.status());
  head += "Date: ";
  bytes.reply.date_at = static_cast<std::uint32_t>(head.size());
  head.append(http::date_bytes, ' ');
  head += "\r\n";
  if (has_content) {
    if (!response.content_type().empty())
      head.append("Content-Type: ").append(response.content_type()) += "\r\n";
    head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  head.append(response.fields()) += "\r\n";
  bytes.reply.head = head;
  bytes.reply.status = static_cast<std::uint16_t>(response.status());
  bytes.reply.content_type = response.content_type();
  bytes.reply.fields = response.fields();
  if (has_content) bytes.reply.body = body;
  bytes.serialised = true;
}

}  // namespace

Fixed::Fixed(Response response) {
  const auto bytes = std::make_shared<detail::FixedBytes>();
  bytes->response = std::move(response);
  const Response& kept = bytes->response;
  if (kept.problem() == nullptr && !kept.closes() && !kept.has_date()) serialise(*bytes);
  bytes_ = bytes;
}

}  // namespace millrace
