// socket_handler.hpp: turns a handler of App::ws() into an Entry.
//
//   Entry::start -> run_socket -> socket_accept -> 101 -> handler(socket, ...) -> socket_finish
//                                               -> 400, 403, 426, 503
#pragma once

#include <millrace/app.hpp>
#include <millrace/detail/handler.hpp>
#include <millrace/detail/socket_end.hpp>
#include <millrace/task.hpp>
#include <millrace/websocket.hpp>

#include <array>
#include <concepts>
#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

namespace millrace::detail {

/// What a handler takes behind its mr::WebSocket&.
template <class Arguments>
struct BehindSocket {
  static_assert(unsupported<Arguments>, "a handler of a WebSocket takes an mr::WebSocket& first");
  using Rest = std::tuple<>;
};
template <class... A>
struct BehindSocket<std::tuple<WebSocket&, A...>> {
  using Rest = std::tuple<A...>;
};

template <class F>
struct SocketCall {
  using Call = typename decltype(call_of<F>())::type;
  using Rest = typename BehindSocket<typename Call::Arguments>::Rest;
  static_assert(std::same_as<typename Call::Result, Task<void>>,
                "a handler of a WebSocket is a coroutine: it gives an mr::Task<>");
};

/// For the check of the pattern: what the handler takes of it.
template <class F>
struct Signature<SocketHandler<F>> : ArgumentList<typename SocketCall<F>::Rest> {
  using Arguments = typename SocketCall<F>::Rest;
  using Result = Task<void>;
};

/// A handler with its options.
template <class F>
struct SocketHandler {
  F handler;
  WebSocketOptions options;
};

template <class F>
Detached run_socket(const SocketHandler<F>& route, Request& request) {
  SocketEnd end;
  bool failed = false;
  try {
    Holders<typename SocketCall<F>::Rest> arguments;
    if (arguments.fill_or_refuse(request) && socket_accept(request, route.options, end)) {
      co_await SocketOpened(end);
      WebSocket socket(end);
      co_await arguments.call(
          [&](auto&&... rest) { return route.handler(socket, std::forward<decltype(rest)>(rest)...); });
    }
  } catch (const Cancelled&) {
  } catch (const std::exception& exception) {
    failed = true;
    socket_finish(request, end, exception.what());
  } catch (...) {
    failed = true;
    socket_finish(request, end, "an exception that is no std::exception");
  }
  if (!failed) socket_finish(request, end, nullptr);
  finished(request);
}

template <class F>
Entry make_socket_entry(F&& handler, WebSocketOptions options) {
  using Handler = SocketHandler<std::decay_t<F>>;
  Entry entry;
  entry.self = new Handler{std::forward<F>(handler), std::move(options)};
  entry.destroy = destroy<Handler>;
  entry.start = [](void* self, Request& request) noexcept {
    run_socket(*static_cast<const Handler*>(self), request);
  };
  entry.checks = needed_checks<typename Signature<Handler>::Arguments>();
  entry.asynchronous = true;
  entry.switches = true;
  return entry;
}

}  // namespace millrace::detail

namespace millrace {

template <class Self>
template <class F>
Self& detail::Verbs<Self>::ws(SocketPattern<F> pattern, F&& handler, WebSocketOptions options) {
  add_route(*group_, "GET", pattern.text(), make_socket_entry(std::forward<F>(handler), std::move(options)),
            {});
  return self();
}

}  // namespace millrace
