// reply.hpp: a reply on its way out, as middleware sees it.
//
//   app.use([](mr::Request&, mr::Reply& reply) { reply.header("X-Served-By", "one"); });
#pragma once

#include <millrace/namespace.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

namespace proto {
struct ReplyView;
}
namespace serve {
class Segment;
}
class Compression;

/// Valid inside the call that was given it. Whatever made the reply: a handler's text, response, file or
/// stream, an error page, the middleware further in. Of a stream it is the head, just before it leaves.
///
/// What is only to be counted is better seen at the end: see Outcome.
/// A change that no reply may have (see Response) makes it a 500, with nothing of it, and the log says why.
class Reply {
 public:
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;

  unsigned status() const noexcept;
  /// 200 to 599.
  Reply& status(unsigned code);
  std::string_view content_type() const noexcept;
  Reply& content_type(std::string_view type);

  /// The first field of that name, case-insensitively. Not those that the engine adds (Date, Content-Length).
  std::optional<std::string_view> header(std::string_view name) const noexcept;
  /// Adds a line; the rules are those of Response::header().
  Reply& header(std::string_view name, std::string_view value);
  /// Every line of that name gives way to this one.
  Reply& set_header(std::string_view name, std::string_view value);
  Reply& remove_header(std::string_view name);

  /// Empty for a body that is not in memory: a file, a stream.
  std::string_view body() const noexcept;
  /// False for a file or a stream.
  bool body_in_memory() const noexcept;
  /// Its length, a file's too; 0 where nobody knows it yet.
  std::uint64_t body_bytes() const noexcept;
  /// Replaces a body in memory or a file's. A stream's cannot be replaced: 500.
  Reply& body(std::string text);

  /// Makes it a 500; `why` goes to the log, not to the client.
  void fail(const char* why) noexcept;

  /// Since the request reached the first middleware, in nanoseconds; 0 for one that the engine refused.
  std::uint64_t elapsed_ns() const noexcept;

 private:
  friend serve::Segment;
  friend Compression;
  Reply(proto::ReplyView& view, std::uint64_t started_ns, bool streamed) noexcept
      : view_(view), started_ns_(started_ns), streamed_(streamed) {}
  void refuse(const char* problem) noexcept;
  void drop_lines(std::string_view name);
  std::string& own_fields();

  proto::ReplyView& view_;
  std::uint64_t started_ns_;
  std::string body_;  ///< Where body() was called.
  std::string type_;  ///< Where content_type() was called.
  const char* problem_ = nullptr;
  bool streamed_;
};

}  // namespace millrace
