// plain_middleware.hpp: the library's own middleware for the engine's own routes: as use() makes it, without
// exceptions, which these do not throw.
#pragma once

#include <millrace/detail/bridge.hpp>
#include <millrace/outcome.hpp>
#include <millrace/reply.hpp>
#include <millrace/response.hpp>

#include <optional>
#include <utility>

namespace millrace::config {

template <class M>
detail::Middleware make_plain(M middleware) {
  auto* kept = new M(std::move(middleware));
  detail::Middleware made{.destroy = [](void* self) noexcept { delete static_cast<M*>(self); }, .self = kept};
  if constexpr (requires(const M& one, Request& request) { one.before(request); }) {
    made.before = [](void* self, Request& request) noexcept {
      std::optional<Response> answer = static_cast<const M*>(self)->before(request);
      if (answer) detail::reply(request, std::move(*answer));
      return !answer;
    };
  }
  if constexpr (requires(const M& one, Request& request, Reply& reply) { one.after(request, reply); }) {
    made.after = [](void* self, Request& request, Reply& reply) noexcept {
      static_cast<const M*>(self)->after(request, reply);
    };
  }
  if constexpr (requires(const M& one, Request& request, const Outcome& outcome) {
                  one.done(request, outcome);
                }) {
    made.done = [](void* self, Request& request, const Outcome& outcome) noexcept {
      static_cast<const M*>(self)->done(request, outcome);
    };
  }
  if constexpr (requires(const M& one) { one.output(); }) made.output = kept->output();
  if constexpr (requires { M::inner_counts; }) made.kind = &detail::kind_tag<M>;
  return made;
}

}  // namespace millrace::config
