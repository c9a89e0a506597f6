// middleware.hpp: turns what use() is given into a Middleware.
#pragma once

#include <millrace/detail/bridge.hpp>
#include <millrace/detail/chain.hpp>
#include <millrace/detail/handler.hpp>
#include <millrace/detail/signature.hpp>
#include <millrace/middleware.hpp>
#include <millrace/outcome.hpp>
#include <millrace/reply.hpp>
#include <millrace/response.hpp>
#include <millrace/task.hpp>

#include <concepts>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace millrace::detail {

template <class M>
concept HasBefore = requires(const M& middleware, Request& request) { middleware.before(request); };
template <class M>
concept HasAfter = requires(const M& middleware, Request& request, Reply& reply) {
  { middleware.after(request, reply) } -> std::same_as<void>;
};

template <class M>
concept HasDone = requires(const M& middleware, Request& request, const Outcome& outcome) {
  { middleware.done(request, outcome) } -> std::same_as<void>;
};

/// Calls it, and answers what it gives or throws. True: go on.
template <class F>
bool call_before(const F& before, Request& request) noexcept {
  try {
    using Result = std::invoke_result_t<const F&, Request&>;
    if constexpr (std::is_void_v<Result>) {
      before(request);
    } else {
      static_assert(std::same_as<Result, std::optional<Response>>,
                    "what runs before a handler gives nothing, or a std::optional<mr::Response>");
      if (std::optional<Response> answer = before(request)) {
        reply(request, std::move(*answer));
        return false;
      }
    }
    return true;
  } catch (...) {
    answer_exception(request);
    return false;
  }
}

template <class F>
void call_after(const F& after, Request& request, Reply& reply) noexcept {
  try {
    after(request, reply);
  } catch (const std::exception& exception) {
    log_failure(request, exception.what());
    reply.fail("middleware failed behind the handler");
  } catch (...) {
    log_failure(request, "an exception that is no std::exception");
    reply.fail("middleware failed behind the handler");
  }
}

template <class M>
Middleware erase(void* self) noexcept {
  Middleware made{.destroy = destroy<M>, .self = self};
  if constexpr (HasBefore<M> || HasAfter<M> || HasDone<M>) {
    if constexpr (HasBefore<M>) {
      made.before = [](void* of, Request& request) noexcept {
        const M& middleware = *static_cast<const M*>(of);
        return call_before([&](Request& about) { return middleware.before(about); }, request);
      };
    }
    if constexpr (HasAfter<M>) {
      made.after = [](void* of, Request& request, Reply& reply) noexcept {
        const M& middleware = *static_cast<const M*>(of);
        call_after([&](Request& about, Reply& out) { middleware.after(about, out); }, request, reply);
      };
    }
    if constexpr (requires(const M& middleware) { middleware.output(); })
      made.output = static_cast<const M*>(self)->output();
    if constexpr (requires { M::inner_counts; }) made.kind = &kind_tag<M>;
    if constexpr (HasDone<M>) {
      made.done = [](void* of, Request& request, const Outcome& outcome) noexcept {
        make_safely(request, [&] { static_cast<const M*>(of)->done(request, outcome); });
      };
    }
  } else if constexpr (std::is_invocable_r_v<Task<Response>, const M&, Request&, Next>) {
    made.around = [](void* of, Request& request, Next next) {
      return (*static_cast<const M*>(of))(request, next);
    };
    made.start_chain = start_chain;
  } else if constexpr (std::is_invocable_v<const M&, Request&, Reply&>) {
    made.after = [](void* of, Request& request, Reply& reply) noexcept {
      call_after(*static_cast<const M*>(of), request, reply);
    };
  } else if constexpr (std::is_invocable_v<const M&, Request&>) {
    made.before = [](void* of, Request& request) noexcept {
      return call_before(*static_cast<const M*>(of), request);
    };
  } else {
    static_assert(
        unsupported<M>,
        "middleware takes (mr::Request&), (mr::Request&, mr::Reply&), or (mr::Request&, mr::Next) "
        "and then gives an mr::Task<mr::Response>; or is an object with before(), after() or done(); "
        "its operator() is const");
  }
  return made;
}

template <class M>
Middleware make_middleware(M&& middleware) {
  using Kept = std::decay_t<M>;
  if constexpr (std::same_as<Kept, Timeout>) {
    return {.timeout_ns = middleware.duration_ns};
  } else if constexpr (std::same_as<Kept, BodyLimit>) {
    return {.body_bytes_max = middleware.bytes};
  } else {
    return erase<Kept>(new Kept(std::forward<M>(middleware)));
  }
}

}  // namespace millrace::detail
