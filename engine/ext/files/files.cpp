#include "engine/ext/files/files.hpp"

#include <time.h>

#include <array>
#include <optional>
#include <span>
#include <utility>

#include <fmt/compile.h>
#include <fmt/format.h>

#include "engine/base/assert.hpp"
#include "engine/ext/files/location.hpp"
#include "engine/ext/files/mime.hpp"
#include "engine/ext/files/root.hpp"
#include "engine/ext/files/source.hpp"
#include "engine/http/conditional.hpp"
#include "engine/http/date.hpp"
#include "engine/http/framing.hpp"
#include "engine/mem/allocate.hpp"
#include "engine/proto/exchange.hpp"
#include "engine/serve/answer.hpp"
#include "engine/serve/app_state.hpp"

namespace millrace::files {
namespace {

using proto::Exchange;

/// One buffer a thread, for small files and for Locations; made at the first use and kept.
struct Scratch {
  static constexpr std::size_t bytes = 128 * 1024;
  ~Scratch() { mem::release(data); }
  /// Empty without memory.
  std::span<char> get() noexcept {
    if (data == nullptr) data = static_cast<char*>(mem::allocate(bytes));
    return data == nullptr ? std::span<char>() : std::span<char>(data, bytes);
  }
  char* data = nullptr;
};
static_assert(Scratch::bytes >= small_bytes_max);
thread_local Scratch scratch;

/// The request's fields that a file's answer depends on; the first of each name counts.
struct Asked {
  http::Conditions conditions;
  std::optional<std::string_view> range;
};

Asked read_fields(const http::Head& head) noexcept {
  Asked asked;
  const std::pair<std::string_view, std::optional<std::string_view>*> wanted[] = {
      {"if-match", &asked.conditions.if_match},
      {"if-none-match", &asked.conditions.if_none_match},
      {"if-modified-since", &asked.conditions.if_modified_since},
      {"if-unmodified-since", &asked.conditions.if_unmodified_since},
      {"if-range", &asked.conditions.if_range},
      {"range", &asked.range},
  };
  for (std::size_t index = 0; index < head.field_count; ++index) {
    const http::Field& field = head.fields[index];
    for (const auto& [name, place] : wanted) {
      if (!*place && http::equal_ignoring_case(head.name(field), name)) *place = head.value(field);
    }
  }
  return asked;
}

/// The fields that describe a file, in a buffer of their own.
class FileFields {
 public:
  FileFields(const File& file, std::int64_t now_seconds) noexcept {
    // A time that has not come yet is no validator (RFC 9110 section 8.8.2.1).
    modified_ = file.modified_seconds < now_seconds ? file.modified_seconds : now_seconds;
    add(FMT_COMPILE("ETag: \"{:x}-{:x}-{:x}.{:x}\"\r\n"), file.inode, file.size_bytes, file.modified_seconds,
        file.modified_ns);
    etag_ = {text_.data() + 6, size_ - 8};
    if (modified_ > 0) {
      std::array<char, http::date_bytes> date;
      http::write_date(modified_, date.data());
      add(FMT_COMPILE("Last-Modified: {}\r\n"), std::string_view(date.data(), date.size()));
    }
    add(FMT_COMPILE("Accept-Ranges: bytes\r\n"));
  }
  void add_range(const http::ByteRange& range, std::uint64_t size_bytes) noexcept {
    add(FMT_COMPILE("Content-Range: bytes {}-{}/{}\r\n"), range.first, range.last, size_bytes);
  }
  http::Validators validators() const noexcept { return {etag_, modified_}; }
  std::string_view text() const noexcept { return {text_.data(), size_}; }

 private:
  template <class Format, class... Values>
  void add(const Format& format, const Values&... values) noexcept {
    const auto added = fmt::format_to_n(text_.data() + size_, text_.size() - size_, format, values...);
    MR_ASSERT(added.size <= text_.size() - size_);
    size_ += added.size;
  }

  std::array<char, 384> text_;  // The longest numbers come to 250.
  std::size_t size_ = 0;
  std::string_view etag_;
  std::int64_t modified_ = 0;
};

class FilesHandler {
 public:
  FilesHandler(std::string_view prefix, int directory) : prefix_(prefix), root_(directory) {}

  static void start(void* self, Request& request) noexcept {
    static_cast<FilesHandler*>(self)->serve(request);
  }
  static void destroy(void* self) noexcept { delete static_cast<FilesHandler*>(self); }

 private:
  void serve(Request& request) const noexcept;
  void redirect_to_directory(Request& request) const noexcept;

  const std::string prefix_;  ///< "/static/"
  const Root root_;
};

/// By the application's error pages.
void refuse(Request& request, std::uint16_t status, std::string_view fields = {}) noexcept {
  Exchange& exchange = request.exchange();
  MR_ASSERT(exchange.route != nullptr);
  const serve::Route& route = *static_cast<const serve::Route*>(exchange.route);
  serve::answer_error(exchange, *route.state, {.status = status, .fields = fields});
}

/// Out of descriptors or of memory: both pass.
void refuse_busy(Request& request) noexcept { refuse(request, 503, "Retry-After: 1\r\n"); }

/// Bytes first to last of the file, in the way that suits their number.
void reply_bytes(Request& request, proto::ReplyView view, File&& file, http::ByteRange range) noexcept {
  Exchange& exchange = request.exchange();
  const std::uint64_t size = range.last - range.first + 1;
  // HEAD needs the length alone: the sink drops a source unread (RFC 9110 section 9.3.2).
  if (size > small_bytes_max || exchange.head.method == http::Method::head) {
    view.source = make_source(std::move(file), range.first, size);
    view.source_bytes = size;
    if (view.source == nullptr) return refuse_busy(request);
    return exchange.sink->reply(exchange, view);
  }
  const std::span<char> buffer = scratch.get();
  if (buffer.empty()) return refuse_busy(request);
  const auto count = file.read_at(range.first, buffer.data(), static_cast<std::size_t>(size));
  if (!count || count.value() != size) return refuse(request, 500);  // It shrinks under us.
  view.body = {buffer.data(), count.value()};
  exchange.sink->reply(exchange, view);
}

void reply_file(Request& request, File&& file, std::string_view type) noexcept {
  Exchange& exchange = request.exchange();
  const std::int64_t now = ::time(nullptr);
  FileFields fields(file, now);
  const Asked asked = read_fields(exchange.head);
  switch (http::evaluate(asked.conditions, fields.validators(), now)) {
    case http::Precondition::not_modified:
      return exchange.sink->reply(exchange, {.status = 304, .fields = fields.text()});
    case http::Precondition::failed: return refuse(request, 412);
    case http::Precondition::proceed: break;
  }
  const std::uint64_t size = file.size_bytes;
  http::ByteRange range{0, size - 1};
  http::RangeSet ranges;
  auto verdict = http::RangeVerdict::ignore;
  const bool get = exchange.head.method == http::Method::get;  // Of GET only: RFC 9110 section 14.2.
  if (get && asked.range && http::range_applies(asked.conditions, fields.validators(), now))
    verdict = http::read_ranges(*asked.range, size, ranges);
  if (verdict == http::RangeVerdict::partial && ranges.count > 1) verdict = http::RangeVerdict::ignore;
  switch (verdict) {
    case http::RangeVerdict::ignore: break;
    case http::RangeVerdict::partial:
      range = ranges.ranges[0];
      fields.add_range(range, size);
      break;
    case http::RangeVerdict::unsatisfiable: {
      std::array<char, 64> line;
      const auto end =
          fmt::format_to_n(line.data(), line.size(), FMT_COMPILE("Content-Range: bytes */{}\r\n"), size);
      return refuse(request, 416, {line.data(), end.size});
    }
  }
  proto::ReplyView view;
  view.status = verdict == http::RangeVerdict::partial ? 206 : 200;
  view.content_type = type;
  view.fields = fields.text();
  if (size == 0) return exchange.sink->reply(exchange, view);
  reply_bytes(request, view, std::move(file), range);
}

// The one place that branches on what the root found.
void FilesHandler::serve(Request& request) const noexcept {
  const http::Target& target = request.exchange().target;
  // An encoded slash is data, and no name of a file holds one.
  if (target.encoded_slash_count > 0) return refuse(request, 404);
  if (!target.path.starts_with(prefix_)) {  // "/static" for "/static/".
    MR_ASSERT(prefix_.starts_with(target.path));
    return redirect_to_directory(request);
  }
  const std::string_view name = target.path.substr(prefix_.size());
  File file;
  switch (root_.open(name, file)) {
    case Root::Outcome::file: {
      const bool index = name.empty() || name.ends_with('/');
      return reply_file(request, std::move(file), media_type_of(index ? "index.html" : name));
    }
    case Root::Outcome::directory: return redirect_to_directory(request);
    case Root::Outcome::missing: return refuse(request, 404);
    case Root::Outcome::forbidden: return refuse(request, 403);
    case Root::Outcome::busy: return refuse_busy(request);
    case Root::Outcome::broken: return refuse(request, 500);
  }
}

void FilesHandler::redirect_to_directory(Request& request) const noexcept {
  Exchange& exchange = request.exchange();
  const std::string_view field = write_location(exchange.target, scratch.get());
  if (field.empty()) return refuse_busy(request);
  exchange.sink->reply(exchange, {.status = 301, .fields = field});
}

}  // namespace

Result<detail::Entry> make_entry(std::string_view pattern, const std::string& directory) {
  if (!pattern.starts_with('/') || !pattern.ends_with("/*") || pattern.find('{') != pattern.npos)
    return Error{Errc::bad_configuration};
  const Result<int> opened = Root::open_directory(directory);
  if (!opened) return opened.error();
  pattern.remove_suffix(1);
  return detail::Entry{.start = FilesHandler::start,
                       .destroy = FilesHandler::destroy,
                       .self = new FilesHandler(pattern, opened.value())};
}

}  // namespace millrace::files
