// head_writer.cpp: the bytes of a reply. Source: RFC 9112 sections 4, 6 and 9, RFC 9110 section 6.6.1.
#include "engine/proto/h1/head_parts.hpp"

#include "engine/base/assert.hpp"
#include "engine/http/status.hpp"
#include "engine/proto/h1/protocol.hpp"

namespace millrace::h1 {
namespace {

char* put_status_line(char* to, unsigned status) noexcept {
  const std::string_view line = http::status_line_of(status);
  if (!line.empty()) return put(to, line);
  to = put_number(put(to, "HTTP/1.1 "), status);
  return put(to, " \r\n");  // A reason phrase may be empty, its space may not.
}

char* put_type_and_length(char* to, std::string_view type, std::uint64_t length) noexcept {
  if (!type.empty()) {
    to = put(put(put(to, "Content-Type: "), type), "\r\nContent-Length: ");
  } else {
    to = put(to, "Content-Length: ");
  }
  return put(put_number(to, length), "\r\n");
}

/// Of a body of unknown length: in chunks, or, in HTTP/1.0, up to the close.
char* put_type_and_coding(char* to, std::string_view type, bool in_chunks) noexcept {
  if (!type.empty()) to = put(put(put(to, "Content-Type: "), type), "\r\n");
  return in_chunks ? put(to, "Transfer-Encoding: chunked\r\n") : to;
}

constexpr std::size_t status_at = 9;  ///< In "HTTP/1.1 200 OK".

/// A status that never has content (RFC 9110 section 6.4.1).
bool bodiless(unsigned status) noexcept { return status < 200 || status == 204 || status == 304; }

/// Of a reply that closes, or goes to HTTP/1.0: any other says nothing of it.
char* put_connection(char* to, const H1Exchange& x) noexcept {
  if (x.close_after) return put(to, "Connection: close\r\n");
  MR_ASSERT(x.head.version_minor == 0);
  return put(to, "Connection: keep-alive\r\n");
}

}  // namespace

// Leaves out the bytes that probe() has sent ahead.
void Protocol::commit_head(net::Chain& out, const H1Exchange& x, char* begin, char* end) noexcept {
  std::size_t size = static_cast<std::size_t>(end - begin);
  if (x.probed) [[unlikely]] {
    size -= reply_prefix.size();
    std::memmove(begin, begin + reply_prefix.size(), size);
  }
  out.commit(size);
}

// How the body of a source or a stream is marked off (RFC 9112 section 6.3).
void Protocol::frame_body(H1Exchange& x, const proto::ReplyView& view) noexcept {
  x.left = view.source_bytes;
  x.in_chunks = view.source_bytes == proto::length_unknown && x.head.version_minor != 0;
  x.drops_content = x.head.method == http::Method::head || bodiless(view.status);
}

bool Protocol::write_reply(net::Chain& out, const H1Exchange& x, const proto::ReplyView& view) noexcept {
  const bool no_body = bodiless(view.status);
  const bool in_parts = view.source != nullptr || x.stream != proto::StreamState::none;
  const bool send_body = !no_body && !in_parts && x.head.method != http::Method::head;
  const std::size_t body_bytes = send_body ? view.body.size() : 0;
  const std::size_t head_bytes = fixed_parts_bytes + view.content_type.size() + view.fields.size();
  const bool body_fits = head_bytes + body_bytes <= net::Chain::largest_room;
  if (head_bytes > net::Chain::largest_room) return false;
  char* const begin = out.room(pool_, head_bytes + (body_fits ? body_bytes : 0));
  if (begin == nullptr) return false;

  ++counters_.replies[view.status / 100];
  char* to = begin;
  if (view.status == 200 && view.date) [[likely]] {
    std::memcpy(to, date_.ok(), DateLine::ok_bytes);
    to += DateLine::ok_bytes;
  } else {
    to = put_status_line(to, view.status);
    if (view.date) to = put(to, {date_.line(), DateLine::line_bytes});
  }
  if (in_parts && view.source_bytes == proto::length_unknown) [[unlikely]] {
    if (!no_body) to = put_type_and_coding(to, view.content_type, x.in_chunks);
  } else if (!no_body) {
    to = put_type_and_length(to, view.content_type, in_parts ? view.source_bytes : view.body.size());
  }
  if (x.close_after || x.head.version_minor == 0) [[unlikely]]
    to = put_connection(to, x);
  if (!view.fields.empty()) to = put(to, view.fields);
  to = put(to, "\r\n");
  if (body_bytes != 0 && body_fits) [[likely]]
    to = put(to, {view.body.data(), body_bytes});
  MR_ASSERT(static_cast<std::size_t>(to - begin) <= head_bytes + body_bytes);
  commit_head(out, x, begin, to);
  return body_fits || out.append(pool_, {view.body.data(), body_bytes});
}

bool Protocol::write_fixed(net::Chain& out, const H1Exchange& x, const proto::FixedReply& fixed) noexcept {
  const std::string_view body = x.head.method == http::Method::head ? std::string_view() : fixed.body;
  const std::size_t head_bytes = fixed.head.size() + fixed_parts_bytes;
  const bool body_fits = head_bytes + body.size() <= net::Chain::largest_room;
  if (head_bytes > net::Chain::largest_room) return false;
  char* const begin = out.room(pool_, head_bytes + (body_fits ? body.size() : 0));
  if (begin == nullptr) return false;

  ++counters_.replies[static_cast<unsigned>(fixed.head[status_at] - '0')];
  char* to = put(begin, fixed.head);
  std::memcpy(begin + fixed.date_at, date_.value(), http::date_bytes);
  if (x.close_after || x.head.version_minor == 0) [[unlikely]] {
    to = put_connection(to - 2, x);  // Before the blank line.
    to = put(to, "\r\n");
  }
  if (body_fits) to = put(to, body);
  commit_head(out, x, begin, to);
  return body_fits || out.append(pool_, body);
}

}  // namespace millrace::h1
