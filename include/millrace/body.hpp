// body.hpp: a request's body, whole or in parts.
//
//   std::string_view all = request.body();                        // in a handler that is no coroutine
//   while (auto part = co_await request.body().next()) ...        // in a coroutine, as it comes
//   std::string_view all = co_await request.body().whole();       // in a coroutine, all at once
//
// A coroutine that takes mr::Request& starts with the request's head, before its body is there. What it has
// not read is held back: past 64 KiB the connection is read no further, so a body of any length (up to the
// limit, 413) costs a bounded piece of memory. A handler that takes the body by type (mr::Json<T>), or is no
// coroutine, starts when it is whole.
#pragma once

#include <millrace/detail/parts.hpp>
#include <millrace/namespace.hpp>

#include <coroutine>
#include <cstddef>
#include <new>
#include <optional>
#include <stdexcept>
#include <string_view>

#ifdef __cpp_exceptions
#include <millrace/cancelled.hpp>
#endif

namespace millrace {

namespace detail {

/// The body where it is whole; false where it comes in parts and was not gathered.
bool body_view(const Request& request, std::string_view& body) noexcept;

#ifdef __cpp_exceptions

class [[nodiscard]] NextPart {
 public:
  explicit NextPart(const Request& request) noexcept { waiter_.request = &request; }
  NextPart(const NextPart&) = delete;
  NextPart& operator=(const NextPart&) = delete;

  bool await_ready() {
    throw_if_cancelled();
    read_ = body_next(*waiter_.request, part_);
    return read_ != PartRead::wait || scope_cancelled();
  }
  void await_suspend(std::coroutine_handle<> handle) noexcept { await_body(waiter_, handle); }
  std::optional<std::string_view> await_resume() {
    throw_if_cancelled();
    if (read_ == PartRead::wait) read_ = body_next(*waiter_.request, part_);
    if (read_ != PartRead::bytes) return std::nullopt;
    return part_;
  }

 private:
  PartWaiter waiter_;
  std::string_view part_;
  PartRead read_ = PartRead::end;
};

class [[nodiscard]] WholeBody {
 public:
  explicit WholeBody(const Request& request) noexcept { waiter_.request = &request; }
  WholeBody(const WholeBody&) = delete;
  WholeBody& operator=(const WholeBody&) = delete;

  bool await_ready() {
    throw_if_cancelled();
    read_ = body_collect(*waiter_.request, body_);
    return read_ != PartRead::wait || scope_cancelled();
  }
  void await_suspend(std::coroutine_handle<> handle) noexcept { await_body(waiter_, handle); }
  std::string_view await_resume() {
    throw_if_cancelled();
    if (read_ == PartRead::wait) read_ = body_collect(*waiter_.request, body_);
    if (read_ == PartRead::no_memory) throw std::bad_alloc();
    return body_;
  }

 private:
  PartWaiter waiter_;
  std::string_view body_;
  PartRead read_ = PartRead::end;
};

#endif

}  // namespace detail

/// A handle on the body of the request under way; as cheap as a pointer, valid as long as the request.
class Body {
 public:
  explicit Body(const Request& request) noexcept : request_(&request) {}

#ifdef __cpp_exceptions
  /// The whole body; empty where there was none. At least 64 bytes behind it are readable. Throws
  /// std::logic_error in a coroutine that has not awaited whole(): there a part of it may be all that is there.
  std::string_view view() const {
    std::string_view body;
    if (!detail::body_view(*request_, body)) {
      throw std::logic_error("a coroutine reads the body by co_await request.body().whole() or .next()");
    }
    return body;
  }
  operator std::string_view() const { return view(); }  // NOLINT: a body is its bytes.
  std::size_t size() const { return view().size(); }
  bool empty() const { return view().empty(); }

  /// `co_await`: the next part, one byte long at least, in order; nothing behind the last one. A part's
  /// bytes are valid until the next is asked for. Suspends while the client is slow. Throws Cancelled when
  /// the client leaves, or what it sends is no valid body (it has been answered then: 400, 408, 413).
  detail::NextPart next() const noexcept { return detail::NextPart(*request_); }

  /// `co_await`: what next() has not given yet, in one piece, valid as long as the request. Throws as next()
  /// does, and std::bad_alloc when the core's memory is used up.
  detail::WholeBody whole() const noexcept { return detail::WholeBody(*request_); }
#endif

 private:
  [[maybe_unused]] const Request* request_;  // Without exceptions nothing here reads it.
};

}  // namespace millrace
