#include "engine/ext/files/multipart.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include <fmt/compile.h>
#include <fmt/format.h>

#include "engine/base/assert.hpp"
#include "engine/mem/allocate.hpp"

namespace millrace::files {
namespace {

/// No file can hold it but by chance: nobody knows it before the reply.
std::uint64_t random_boundary() noexcept {
  std::uint64_t number = 0;
  // Up to 256 bytes come whole once the kernel's generator is ready (getrandom(2)).
  while (::getrandom(&number, sizeof number, 0) < 0 && errno == EINTR) {
  }
  return number;
}

}  // namespace

MultipartSource::MultipartSource(const Representation& representation, const http::RangeSet& set) noexcept
    : file_(representation.file),
      content_(representation.whole.body.data()),
      file_bytes_(representation.facts.size_bytes),
      set_(set),
      boundary_(random_boundary()),
      type_bytes_(representation.type.copy(type_.data(), type_.size())) {
  MR_ASSERT(type_bytes_ == representation.type.size());
  const auto end = fmt::format_to_n(content_type_.data(), content_type_.size(),
                                    FMT_COMPILE("multipart/byteranges; boundary={:016x}"), boundary_);
  content_type_bytes_ = end.size;
  MR_ASSERT(content_type_bytes_ <= content_type_.size());
  for (std::size_t index = 0; index <= set_.count; ++index) {
    write_delimiter(index);
    size_bytes_ += text_left_.size();
    if (index < set_.count) size_bytes_ += set_.ranges[index].last - set_.ranges[index].first + 1;
  }
  begin(0);
}

MultipartSource* MultipartSource::make(const Representation& representation,
                                       const http::RangeSet& set) noexcept {
  MR_ASSERT(set.count >= 2);
  void* memory = mem::allocate(sizeof(MultipartSource));
  return memory == nullptr ? nullptr : new (memory) MultipartSource(representation, set);
}

void MultipartSource::write_delimiter(std::size_t index) noexcept {
  const char* line_end = index == 0 ? "" : "\r\n";
  const auto end =
      index == set_.count
          ? fmt::format_to_n(text_.data(), text_.size(), FMT_COMPILE("{}--{:016x}--\r\n"), line_end,
                             boundary_)
          : fmt::format_to_n(
                text_.data(), text_.size(),
                FMT_COMPILE("{}--{:016x}\r\nContent-Type: {}\r\nContent-Range: bytes {}-{}/{}\r\n\r\n"),
                line_end, boundary_, std::string_view(type_.data(), type_bytes_), set_.ranges[index].first,
                set_.ranges[index].last, file_bytes_);
  MR_ASSERT(end.size <= text_.size());
  text_left_ = {text_.data(), end.size};
}

void MultipartSource::begin(std::size_t index) noexcept {
  index_ = index;
  write_delimiter(index);
  if (index == set_.count) return;
  offset_ = set_.ranges[index].first;
  bytes_left_ = set_.ranges[index].last - offset_ + 1;
}

Result<std::size_t> MultipartSource::read_file(std::span<char> out) noexcept {
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), bytes_left_));
  if (!file_) {
    std::memcpy(out.data(), content_ + offset_, wanted);
  } else {
    const Result<std::size_t> count = file_.read_at(offset_, out.data(), wanted);
    if (!count) return count.error();
    if (count.value() != wanted || !file_.unchanged()) return Error{Errc::system, 0, ENODATA};
  }
  offset_ += wanted;
  bytes_left_ -= wanted;
  return wanted;
}

Result<std::size_t> MultipartSource::read(std::span<char> out) noexcept {
  std::size_t done = 0;
  while (done < out.size()) {
    if (!text_left_.empty()) {
      const std::size_t part = text_left_.copy(out.data() + done, out.size() - done);
      text_left_.remove_prefix(part);
      done += part;
    } else if (index_ == set_.count) {
      break;
    } else if (bytes_left_ != 0) {
      const Result<std::size_t> count = read_file(out.subspan(done));
      if (!count) return count;
      done += count.value();
    } else {
      begin(index_ + 1);
    }
  }
  return done;
}

void MultipartSource::release() noexcept {
  this->~MultipartSource();
  mem::release(this);
}

}  // namespace millrace::files
