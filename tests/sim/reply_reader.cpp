#include "tests/sim/reply_reader.hpp"

#include <zlib.h>

#include <array>
#include <charconv>

namespace millrace::test {
namespace {

constexpr std::string_view line_end = "\r\n";

/// What the fields say of the body.
struct Framing {
  unsigned lengths = 0, codings = 0, dates = 0;
  std::uint64_t length = 0;
};

bool read_number(std::string_view text, std::uint64_t& number, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

Read bad(std::string& wrong, std::string what) {
  wrong = std::move(what);
  return Read::bad;
}

// "HTTP/1.1 200 OK"
bool read_status(std::string_view line, unsigned& status) {
  std::uint64_t number = 0;
  if (line.size() < 13 || !line.starts_with("HTTP/1.1 ") || line[12] != ' ') return false;
  if (!read_number(line.substr(9, 3), number) || number < 100 || number > 599) return false;
  status = static_cast<unsigned>(number);
  return true;
}

bool read_field(std::string_view line, Framing& framing, Reply& reply) {
  const std::size_t colon = line.find(": ");
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = line.substr(colon + 2);
  if (name.find_first_of(" \t") != std::string_view::npos) return false;
  if (name == "Content-Length") {
    ++framing.lengths;
    return read_number(value, framing.length);
  }
  if (name == "Transfer-Encoding") {
    ++framing.codings;
    return value == "chunked";
  }
  if (name == "Connection") reply.close = reply.close || value == "close";
  framing.dates += name == "Date";
  return true;
}

bool without_body(unsigned status) { return status < 200 || status == 204 || status == 304; }

Read take_chunked(std::string_view& rest, Reply& reply, std::string& wrong) {
  for (;;) {
    const std::size_t end = rest.find(line_end);
    if (end == std::string_view::npos) return Read::cut;
    std::uint64_t size = 0;
    if (!read_number(rest.substr(0, end), size, 16)) return bad(wrong, "a chunk without a size");
    rest.remove_prefix(end + 2);
    if (size == 0) break;
    if (rest.size() < size + 2) return Read::cut;
    reply.body += rest.substr(0, size);
    if (rest.substr(size, 2) != line_end) return bad(wrong, "a chunk that does not end where it said");
    rest.remove_prefix(size + 2);
  }
  for (;;) {
    const std::size_t end = rest.find(line_end);
    if (end == std::string_view::npos) return Read::cut;
    reply.trailers += rest.substr(0, end + (end == 0 ? 0 : 2));
    rest.remove_prefix(end + 2);
    if (end == 0) return Read::whole;
  }
}

}  // namespace

bool gunzip(std::string_view coded, std::string& content) {
  constexpr int window_bits = 15 + 16;  // 16: gzip's own header and sums.
  z_stream stream{};
  if (::inflateInit2(&stream, window_bits) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(coded.data()));  // Only read.
  stream.avail_in = static_cast<uInt>(coded.size());
  int result = Z_OK;
  std::array<char, 4096> part;
  while (result == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(part.data());
    stream.avail_out = part.size();
    result = ::inflate(&stream, Z_NO_FLUSH);
    content.append(part.data(), part.size() - stream.avail_out);
  }
  const bool whole = result == Z_STREAM_END && stream.avail_in == 0;
  ::inflateEnd(&stream);
  return whole;
}

Read take_reply(std::string_view& wire, bool to_head, Reply& reply, std::string& wrong) {
  reply = {};
  const std::size_t end = wire.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    const std::string_view start = wire.substr(0, 9);
    return start == std::string_view("HTTP/1.1 ").substr(0, start.size())
               ? Read::cut
               : bad(wrong, "no reply starts with: " + std::string(wire.substr(0, 40)));
  }
  std::string_view lines = wire.substr(0, end + 2);
  const std::size_t first = lines.find(line_end);
  if (!read_status(lines.substr(0, first), reply.status))
    return bad(wrong, "no status line: " + std::string(lines.substr(0, first)));
  lines.remove_prefix(first + 2);
  reply.fields = lines;
  Framing framing;
  while (!lines.empty()) {
    const std::size_t size = lines.find(line_end);
    if (!read_field(lines.substr(0, size), framing, reply))
      return bad(wrong, "no field: " + std::string(lines.substr(0, size)));
    lines.remove_prefix(size + 2);
  }
  reply.length = framing.length;
  reply.framed = framing.lengths + framing.codings != 0;
  std::string_view rest = wire.substr(end + 4);
  if (reply.status >= 200 && framing.dates > 1) return bad(wrong, "two dates");
  if (framing.lengths + framing.codings > 1) return bad(wrong, "a body framed twice");
  if (!to_head && !without_body(reply.status)) {
    if (framing.codings != 0) {
      const Read body = take_chunked(rest, reply, wrong);
      if (body != Read::whole) return body;
    } else if (framing.lengths != 0) {
      if (rest.size() < framing.length) return Read::cut;
      reply.body = rest.substr(0, framing.length);
      rest.remove_prefix(framing.length);
    } else {
      return bad(wrong, "a body without an end");
    }
  }
  wire = rest;
  return Read::whole;
}

}  // namespace millrace::test
