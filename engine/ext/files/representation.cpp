#include "engine/ext/files/representation.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include <fmt/compile.h>
#include <fmt/format.h>

#include "engine/base/assert.hpp"
#include "engine/http/date.hpp"
#include "engine/http/status.hpp"
#include "engine/mem/allocate.hpp"

namespace millrace::files {
namespace {

/// A head being written, and where its parts begin.
class HeadText {
 public:
  template <class Format, class... Values>
  void add(const Format& format, const Values&... values) noexcept {
    const auto added = fmt::format_to_n(text_.data() + size_, text_.size() - size_, format, values...);
    MR_ASSERT(added.size <= text_.size() - size_);
    size_ += added.size;
  }
  std::size_t size() const noexcept { return size_; }
  const char* data() const noexcept { return text_.data(); }

 private:
  std::array<char, 3 * described_bytes_max + 1024> text_;
  std::size_t size_ = 0;
};

struct Places {
  std::size_t date, type, type_end, fields, validated, etag, etag_end, end;
};

Places write_head(HeadText& head, const net::FileFacts& facts, const Description& description,
                  std::int64_t modified_seconds) noexcept {
  Places places{};
  head.add(FMT_COMPILE("{}Date: "), http::status_line_of(200));
  places.date = head.size();
  head.add(FMT_COMPILE("{:{}}\r\nContent-Type: "), "", http::date_bytes);
  places.type = head.size();
  head.add(FMT_COMPILE("{}"), description.type);
  places.type_end = head.size();
  head.add(FMT_COMPILE("\r\nContent-Length: {}\r\n"), facts.size_bytes);
  places.fields = head.size();
  if (description.coding != http::Coding::identity)
    head.add(FMT_COMPILE("Content-Encoding: {}\r\n"), http::name_of(description.coding));
  places.validated = head.size();
  head.add(FMT_COMPILE("ETag: "));
  places.etag = head.size();
  head.add(FMT_COMPILE("\"{:x}-{:x}-{:x}.{:x}\""), facts.inode, facts.size_bytes, facts.modified_seconds,
           facts.modified_ns);
  places.etag_end = head.size();
  head.add(FMT_COMPILE("\r\n"));
  if (modified_seconds > 0) {
    std::array<char, http::date_bytes> date;
    http::write_date(modified_seconds, date.data());
    head.add(FMT_COMPILE("Last-Modified: {}\r\n"), std::string_view(date.data(), date.size()));
  }
  if (!description.cache_control.empty())
    head.add(FMT_COMPILE("Cache-Control: {}\r\n"), description.cache_control);
  if (description.varies) head.add(FMT_COMPILE("Vary: Accept-Encoding\r\n"));
  head.add(FMT_COMPILE("Accept-Ranges: bytes\r\n"));
  places.end = head.size();
  head.add(FMT_COMPILE("\r\n"));
  return places;
}

/// The whole file; false where it ended early, grew, or changed meanwhile.
bool read_whole(const net::FileRef& file, char* out, std::size_t size) noexcept {
  const Result<std::size_t> count = file.read_at(0, out, size);
  return count && count.value() == size && file.unchanged();
}

}  // namespace

Representation* make_representation(net::FileRef file, const Description& description,
                                    std::int64_t now_seconds, bool& busy) noexcept {
  const net::FileFacts facts = file.facts();
  // A time that has not come yet is no validator (RFC 9110 section 8.8.2.1).
  const std::int64_t modified = std::clamp<std::int64_t>(facts.modified_seconds, 0, now_seconds);
  HeadText head;
  const Places at = write_head(head, facts, description, modified);
  const bool in_memory = facts.size_bytes <= memory_file_bytes_max;
  const std::size_t content_bytes = in_memory ? static_cast<std::size_t>(facts.size_bytes) : 0;
  const std::size_t memory_bytes = sizeof(Representation) + head.size() + content_bytes;
  void* memory = mem::allocate(memory_bytes);
  busy = memory == nullptr;
  if (busy) return nullptr;

  char* text = static_cast<char*>(memory) + sizeof(Representation);
  std::memcpy(text, head.data(), head.size());
  char* content = text + head.size();
  if (in_memory && !read_whole(file, content, content_bytes)) {
    mem::release(memory);
    return nullptr;
  }
  auto* made = new (memory) Representation;
  const auto view = [text](std::size_t begin, std::size_t end) {
    return std::string_view(text + begin, end - begin);
  };
  if (!in_memory) made->file = std::move(file);
  made->facts = facts;
  made->modified_seconds = modified;
  made->whole = {.head = view(0, head.size()),
                 .body = {content, content_bytes},
                 .date_at = static_cast<std::uint32_t>(at.date),
                 .content_type = view(at.type, at.type_end),
                 .fields = view(at.fields, at.end)};
  made->type = view(at.type, at.type_end);
  made->fields = view(at.fields, at.end);
  made->validated = view(at.validated, at.end);
  made->etag = view(at.etag, at.etag_end);
  made->memory_bytes = memory_bytes;
  return made;
}

void destroy(Representation* representation) noexcept {
  representation->~Representation();
  mem::release(representation);
}

}  // namespace millrace::files
