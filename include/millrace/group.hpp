// group.hpp: where routes are added: an application, or a group of its routes.
#pragma once

#include <millrace/detail/bridge.hpp>
#include <millrace/files.hpp>
#include <millrace/namespace.hpp>
#include <millrace/route_pattern.hpp>
#include <millrace/websocket.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace millrace {

class Group;

namespace detail {

/// A prefix of paths: a pattern without parameters, without a slash at its end.
class GroupPrefix {
 public:
  template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
  consteval GroupPrefix(const Text& text) : text_(text) {  // NOLINT: implicit, a prefix is a literal.
    demand_prefix(text_);
  }
  constexpr std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

template <class F>
struct SocketHandler;

/// What App and Group share. Self is one of them.
template <class Self>
class Verbs {
 public:
  template <class F>
  using Pattern = RoutePattern<std::type_identity_t<F>>;

  // Behind the handler: middleware of this route alone, the first one outermost.
  // clang-format off
  template <class F, class... M> Self& get(Pattern<F> pattern, F&& handler, M&&... middleware) { return add("GET", pattern.text(), std::forward<F>(handler), std::forward<M>(middleware)...); }
  template <class F, class... M> Self& head(Pattern<F> pattern, F&& handler, M&&... middleware) { return add("HEAD", pattern.text(), std::forward<F>(handler), std::forward<M>(middleware)...); }
  template <class F, class... M> Self& post(Pattern<F> pattern, F&& handler, M&&... middleware) { return add("POST", pattern.text(), std::forward<F>(handler), std::forward<M>(middleware)...); }
  template <class F, class... M> Self& put(Pattern<F> pattern, F&& handler, M&&... middleware) { return add("PUT", pattern.text(), std::forward<F>(handler), std::forward<M>(middleware)...); }
  template <class F, class... M> Self& patch(Pattern<F> pattern, F&& handler, M&&... middleware) { return add("PATCH", pattern.text(), std::forward<F>(handler), std::forward<M>(middleware)...); }
  template <class F, class... M> Self& del(Pattern<F> pattern, F&& handler, M&&... middleware) { return add("DELETE", pattern.text(), std::forward<F>(handler), std::forward<M>(middleware)...); }
  template <class F, class... M> Self& options(Pattern<F> pattern, F&& handler, M&&... middleware) { return add("OPTIONS", pattern.text(), std::forward<F>(handler), std::forward<M>(middleware)...); }
  /// Every method that has no route of its own for the pattern, also one the engine does not know; but CONNECT.
  template <class F, class... M> Self& any(Pattern<F> pattern, F&& handler, M&&... middleware) { return add("*", pattern.text(), std::forward<F>(handler), std::forward<M>(middleware)...); }
  // clang-format on

  template <class F>
  using SocketPattern = RoutePattern<std::type_identity_t<SocketHandler<std::decay_t<F>>>>;

  /// Serves the files of a directory for GET and HEAD: "/static" leads to its root. The directory is opened
  /// now. What cannot be, such as a directory that is not there, is what the start of the server fails with.
  Self& files(std::string_view path, const std::string& directory, const FilesOptions& options = {}) {
    add_files(*group_, path, directory, options);
    return self();
  }

  /// WebSockets: see mr::WebSocket. The handler is a coroutine, `mr::Task<>(mr::WebSocket&, ...)`; behind the
  /// socket it takes what any handler takes. A request that asks for no WebSocket gets 426.
  template <class F>
  Self& ws(SocketPattern<F> pattern, F&& handler, WebSocketOptions options = {});

  /// Around every route in here, whenever it was or will be added, and around the answers to requests
  /// below its prefix that no route is for: see millrace/middleware.hpp.
  template <class... M>
  Self& use(M&&... middleware);

  /// Routes below a prefix, such as "/api": their patterns go on from there. "/" is the prefix itself.
  Group group(GroupPrefix prefix);

 protected:
  explicit Verbs(serve::GroupState* group) noexcept : group_(group) {}

  serve::GroupState* group_;

 private:
  Self& self() noexcept { return static_cast<Self&>(*this); }
  template <class F, class... M>
  Self& add(std::string_view method, std::string_view pattern, F&& handler, M&&... middleware);
};

}  // namespace detail

/// A handle on a group of an application's routes, which the application owns; may be copied.
class Group : public detail::Verbs<Group> {
 private:
  friend class App;
  template <class Self>
  friend class detail::Verbs;
  explicit Group(serve::GroupState& group) noexcept : Verbs(&group) {}
};

template <class Self>
Group detail::Verbs<Self>::group(GroupPrefix prefix) {
  return Group(add_group(*group_, prefix.text()));
}

}  // namespace millrace
