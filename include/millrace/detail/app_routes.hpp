// app_routes.hpp: the templates of App: handlers and error pages lose their types here.
#pragma once

#include <millrace/app.hpp>
#include <millrace/detail/handler.hpp>
#include <millrace/detail/handler_async.hpp>
#include <millrace/detail/middleware.hpp>

#include <array>
#include <concepts>
#include <exception>
#include <string_view>
#include <type_traits>
#include <utility>

namespace millrace {
namespace detail {

/// What awaiting a handler's result gives: a Task's value, or the result itself.
template <class T>
struct AwaitedType : std::type_identity<T> {};
template <class T>
struct AwaitedType<Task<T>> : std::type_identity<T> {};
template <class T>
using Awaited = typename AwaitedType<T>::type;

template <class F>
Entry make_entry(F&& handler) {
  using Handler = std::decay_t<F>;
  Entry entry;
  entry.destroy = destroy<Handler>;
  if constexpr (std::same_as<Handler, Fixed>) {
    entry.start = [](void* self, Request& request) noexcept {
      reply_fixed(request, static_cast<const Fixed*>(self)->bytes());
    };
  } else {
    using Result = std::remove_cvref_t<typename Signature<Handler>::Result>;
    constexpr bool gives_reply = HandlerResult<Awaited<Result>> || std::same_as<Result, Task<void>>;
    static_assert(gives_reply,
                  "a handler gives a text, an mr::Response (mr::json() makes one), an "
                  "mr::Fixed, or an mr::Task of one of these or of nothing");
    if constexpr (!gives_reply) {
      return entry;  // The assertion has said it; what follows would only repeat it at length.
    } else if constexpr (is_task<Result>) {
      entry.start = start_asynchronous<Handler>;
      entry.asynchronous = true;
      entry.reads_parts = Signature<Handler>::takes_request && !Signature<Handler>::takes_body;
    } else {
      entry.start = start_synchronous<Handler>;
    }
    entry.checks = needed_checks<typename Signature<Handler>::Arguments>();
  }
  entry.self = new Handler(std::forward<F>(handler));
  return entry;
}

/// Calls page(arguments..., request), or without the request.
template <class F, class... A>
Response make_page(const F& page, Request& request, const A&... arguments) {
  if constexpr (std::is_invocable_v<const F&, const A&..., Request&>) {
    return Response(page(arguments..., request));
  } else {
    static_assert(
        std::is_invocable_v<const F&, const A&...>,
        "an error's page takes the exception, if it is for one, and mr::Request&, or leaves that out; "
        "its operator() is const");
    return Response(page(arguments...));
  }
}

template <class F>
bool make_error_page(void* self, Request& request, Response& out) noexcept {
  return make_safely(request, [&] { out = make_page(*static_cast<const F*>(self), request); });
}

template <class E, class F>
ExceptionPage::Outcome make_exception_page(void* self, Request& request, Response& out) noexcept {
  try {
    throw;
  } catch (const E& exception) {
    const auto make = [&] { out = make_page(*static_cast<const F*>(self), request, exception); };
    return make_safely(request, make) ? ExceptionPage::Outcome::made : ExceptionPage::Outcome::failed;
  } catch (...) {
    return ExceptionPage::Outcome::other_type;
  }
}

}  // namespace detail

template <class Self>
template <class F, class... M>
Self& detail::Verbs<Self>::add(std::string_view method, std::string_view pattern, F&& handler,
                               M&&... middleware) {
  const std::array<Middleware, sizeof...(M)> made{make_middleware(std::forward<M>(middleware))...};
  add_route(*group_, method, pattern, make_entry(std::forward<F>(handler)), made);
  return self();
}

template <class Self>
template <class... M>
Self& detail::Verbs<Self>::use(M&&... middleware) {
  (detail::use(*group_, make_middleware(std::forward<M>(middleware))), ...);
  return self();
}

template <class F>
App& App::on_error(unsigned status, F&& page) {
  using Page = std::decay_t<F>;
  detail::add_error_page(
      *state_, status,
      {detail::make_error_page<Page>, detail::destroy<Page>, new Page(std::forward<F>(page))});
  return *this;
}

template <class E, class F>
App& App::on_error(F&& page) {
  using Page = std::decay_t<F>;
  detail::add_exception_page(*state_, {detail::make_exception_page<E, Page>, detail::destroy<Page>,
                                       new Page(std::forward<F>(page))});
  return *this;
}

}  // namespace millrace
