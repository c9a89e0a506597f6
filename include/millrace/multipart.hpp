// multipart.hpp: a multipart form read part by part, as it comes, in a coroutine: for uploads of any size.
// Small forms: form.hpp.
//
//   app.post("/upload", [](mr::Request& request) -> mr::Task<std::string> {
//     mr::Multipart form(request);
//     std::string stored;
//     while (mr::Part* part = co_await form.next()) {
//       if (!part->is_file()) continue;                                // What is not read is passed over.
//       mr::StoredFile file = co_await part->save("/srv/uploads");
//       stored += file.keep(part->filename()) + "\n";
//     }
//     co_return stored;
//   });
//
// Memory      the head of one part, and what the connection holds of a body that is read in parts (64 KiB).
// Bad input   throws mr::HttpError out of the co_await, which is answered without a `catch`: 415 where the
//             body is no multipart form, 400 where it is malformed or has no end, 413 over a limit.
#pragma once

#include <millrace/body.hpp>
#include <millrace/detail/argument.hpp>
#include <millrace/http_error.hpp>
#include <millrace/namespace.hpp>
#include <millrace/request.hpp>
#include <millrace/stored_file.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#ifdef __cpp_exceptions
#include <millrace/task.hpp>
#endif

namespace millrace {

/// Past any of them: 413. The body as a whole has ServerOptions::body_bytes beside.
struct MultipartLimits {
  std::uint32_t parts_max = 1000;
  std::uint32_t part_head_bytes_max = 8 * 1024;  ///< The head of one part.
  std::uint64_t part_bytes_max = 1ull << 40;     ///< The data of one part.
  std::uint64_t data_bytes_max = 1ull << 40;     ///< The data of all parts.
};

namespace detail {

/// The engine's reader of a form.
struct MultipartReader;
struct MultipartReaderDelete {
  void operator()(MultipartReader* reader) const noexcept;
};
using MultipartReaderPointer = std::unique_ptr<MultipartReader, MultipartReaderDelete>;

/// Null, and why, where the request's body is no multipart form.
MultipartReaderPointer multipart_open(std::string_view content_type, const MultipartLimits& limits,
                                      Refusal& refusal);

enum class PartStep : std::uint8_t { need_more, part, data, part_end, end, refused };
struct PartEvent {
  PartStep step = PartStep::need_more;
  std::string_view data = {};
};
/// Cuts what it has used off `input`. Behind refused: not again.
PartEvent multipart_next(MultipartReader& reader, std::string_view& input, Refusal& refusal);
/// At the end of the body: false, and why, where the form is not complete.
bool multipart_finish(MultipartReader& reader, Refusal& refusal);

/// Of the part that PartStep::part began.
std::string_view part_name(const MultipartReader& reader) noexcept;
std::optional<std::string_view> part_filename(const MultipartReader& reader) noexcept;
std::string_view part_content_type(const MultipartReader& reader) noexcept;

}  // namespace detail

// The engine itself is built without exceptions.
#ifdef __cpp_exceptions

class Multipart;

/// One part, while it comes; belongs to its Multipart. Views are valid until the next part is asked for.
class Part {
 public:
  std::string_view name() const noexcept;
  /// A part with a filename, be it empty.
  bool is_file() const noexcept;
  /// As the client sent it: for people to read. Empty where there is none. To store: safe_filename().
  std::string_view filename() const noexcept;
  /// As the client sent it, which proves nothing; empty: none.
  std::string_view content_type() const noexcept;

  /// `co_await`: more of its data, in order, one byte long at least; nothing at its end. Valid until the next
  /// co_await on the form or its parts.
  Task<std::optional<std::string_view>> read();
  /// `co_await`: the rest of its data. More than bytes_max: HttpError 413.
  Task<std::string> text(std::size_t bytes_max = 64 * 1024);
  /// `co_await`: the rest of its data, stored in that directory, without a name: keep() it, or it is gone.
  /// Throws HttpError 507 for a full disk, and what else StoredFile throws.
  Task<StoredFile> save(std::string directory);

 private:
  friend class Multipart;
  explicit Part(Multipart& form) noexcept : form_(&form) {}
  Multipart* form_;
  bool ended_ = true;
};

/// Lives in the coroutine that reads it; reads the request's body, so nothing else may.
class Multipart {
 public:
  /// Throws HttpError 415, or 400 where the boundary is missing or not valid.
  explicit Multipart(Request& request, const MultipartLimits& limits = {}) : request_(&request) {
    if (detail::body_is_plain(request, refusal_))
      reader_ = detail::multipart_open(request.header("content-type").value_or(""), limits, refusal_);
    if (reader_ == nullptr) refuse();
  }
  Multipart(const Multipart&) = delete;
  Multipart& operator=(const Multipart&) = delete;

  /// `co_await`: the next part, or null at the end of the form. Passes over what was not read of the one
  /// before. Each call ends the use of the part that the one before gave.
  Task<Part*> next() {
    for (;;) {
      const detail::PartEvent event = co_await advance();
      part_.ended_ = event.step != detail::PartStep::part;
      if (event.step == detail::PartStep::end) co_return nullptr;
      if (event.step == detail::PartStep::part) co_return &part_;
    }
  }

 private:
  friend class Part;
  [[noreturn]] void refuse() { throw HttpError(refusal_.status, refusal_.message); }

  /// The next event; `end` only at the end of the body, so that the connection can go on.
  Task<detail::PartEvent> advance() {
    for (;;) {
      const detail::PartEvent event = detail::multipart_next(*reader_, input_, refusal_);
      if (event.step == detail::PartStep::refused) refuse();
      if (event.step != detail::PartStep::need_more && event.step != detail::PartStep::end) co_return event;
      if (!input_.empty()) continue;
      const std::optional<std::string_view> more = co_await request_->body().next();
      if (more) {
        input_ = *more;
        continue;
      }
      if (!detail::multipart_finish(*reader_, refusal_)) refuse();
      co_return detail::PartEvent{detail::PartStep::end};
    }
  }

  Request* request_;
  detail::MultipartReaderPointer reader_;
  detail::Refusal refusal_;
  std::string_view input_;  ///< Of the body, not read yet.
  Part part_{*this};
};

inline std::string_view Part::name() const noexcept { return detail::part_name(*form_->reader_); }
inline bool Part::is_file() const noexcept { return detail::part_filename(*form_->reader_).has_value(); }
inline std::string_view Part::filename() const noexcept {
  return detail::part_filename(*form_->reader_).value_or("");
}
inline std::string_view Part::content_type() const noexcept {
  return detail::part_content_type(*form_->reader_);
}

inline Task<std::optional<std::string_view>> Part::read() {
  if (ended_) co_return std::nullopt;
  const detail::PartEvent event = co_await form_->advance();
  if (event.step == detail::PartStep::data) co_return event.data;
  ended_ = true;
  co_return std::nullopt;
}

inline Task<std::string> Part::text(std::size_t bytes_max) {
  std::string text;
  for (;;) {
    const auto data = co_await read();
    if (!data) co_return text;
    if (data->size() > bytes_max - text.size()) throw HttpError(413, "form: a field is too large");
    text += *data;
  }
}

inline Task<StoredFile> Part::save(std::string directory) {
  StoredFile file(directory);
  for (;;) {
    const auto data = co_await read();
    if (!data) co_return file;
    file.write(*data);
  }
}

#endif

}  // namespace millrace
