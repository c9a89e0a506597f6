// signature.hpp: what a handler takes and gives, read from its type.
#pragma once

#include <millrace/detail/argument.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace millrace {
class Fixed;
}

namespace millrace::detail {

template <class>
inline constexpr bool unsupported = false;

/// The result and the arguments of a call to a const F.
template <class F>
struct Call;
template <class R, class... A>
struct Call<R (*)(A...)> {
  using Result = R;
  using Arguments = std::tuple<A...>;
};
template <class R, class... A>
struct Call<R (*)(A...) noexcept> : Call<R (*)(A...)> {};
template <class R, class C, class... A>
struct Call<R (C::*)(A...) const> : Call<R (*)(A...)> {};
template <class R, class C, class... A>
struct Call<R (C::*)(A...) const noexcept> : Call<R (*)(A...)> {};
template <class R, class C, class... A>
struct Call<R (C::*)(A...)> {
  static_assert(unsupported<C>,
                "a handler is called by every core at once: its operator() must be const "
                "(no `mutable` lambda)");
};
template <class R, class C, class... A>
struct Call<R (C::*)(A...) noexcept> : Call<R (C::*)(A...)> {};

template <class F>
constexpr auto call_of() {
  if constexpr (std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>) {
    return std::type_identity<Call<F>>{};
  } else if constexpr (requires { &F::operator(); }) {
    return std::type_identity<Call<decltype(&F::operator())>>{};
  } else {
    static_assert(unsupported<F>,
                  "a handler is a function, or an object with one operator() that is no template "
                  "(no `auto` among the arguments)");
  }
}

/// A the way Argument knows it.
template <class A>
using ArgumentType = std::remove_cvref_t<A>;

template <class A>
inline constexpr bool is_request = std::same_as<ArgumentType<A>, Request>;

template <class A>
constexpr bool judge_argument() {
  if constexpr (is_request<A>) {
    static_assert(std::is_lvalue_reference_v<A>, "a handler takes the request by reference: mr::Request&");
  } else {
    static_assert(
        PathArgument<ArgumentType<A>> || ExtractedArgument<ArgumentType<A>>,
        "a handler's arguments are path parameters (std::string_view, std::string, integers, double, "
        "bool), mr::Request&, mr::Json<T>, mr::Query<T>, mr::Form<T> or mr::FormData");
  }
  return true;
}

/// An argument that is made from the whole body.
template <class A>
inline constexpr bool is_body = requires { requires Argument<ArgumentType<A>>::reads_body; };

template <class Arguments>
struct ArgumentList;
template <class... A>
struct ArgumentList<std::tuple<A...>> {
  static_assert((true && ... && judge_argument<A>()));
  static constexpr unsigned path_parameters = (0u + ... + (PathArgument<ArgumentType<A>> ? 1u : 0u));
  static constexpr bool takes_request = (false || ... || is_request<A>);
  static constexpr bool takes_body = (false || ... || is_body<A>);
  /// Of the last path parameter.
  static constexpr bool last_is_text = [] {
    bool text = false;
    ((text = PathArgument<ArgumentType<A>> ? std::same_as<ArgumentType<A>, std::string_view> ||
                                                 std::same_as<ArgumentType<A>, std::string>
                                           : text),
     ...);
    return text;
  }();
};

template <class F>
struct Signature : ArgumentList<typename decltype(call_of<F>())::type::Arguments> {
  using Result = typename decltype(call_of<F>())::type::Result;
  using Arguments = typename decltype(call_of<F>())::type::Arguments;
};
/// A reply that was made before asks for nothing.
template <>
struct Signature<Fixed> : ArgumentList<std::tuple<Request&>> {};

template <class F>
using SignatureOf = Signature<std::decay_t<F>>;

}  // namespace millrace::detail
