// handler.hpp: turns a callable into an Entry: gathers its arguments, calls it, answers what it gives.
//
//   Entry::start -> Holder::fill -> handler -> answer()          -> reply, reply_text, reply_fixed
//                                           -> answer_exception() -> on_error(), or 500
#pragma once

#include <millrace/detail/bridge.hpp>
#include <millrace/detail/signature.hpp>
#include <millrace/fixed.hpp>
#include <millrace/http_error.hpp>
#include <millrace/response.hpp>
#include <millrace/task.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <exception>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace millrace::detail {

/// One argument between the request and the handler. A is the type of the handler's parameter.
template <class A>
class Holder {
 public:
  bool fill(Request& request, std::size_t& parameter, Refusal& refusal) {
    if constexpr (PathArgument<ArgumentType<A>>) {
      if (Kind::parse(request.parameter(parameter++), value_.emplace())) return true;
      refusal = {404, "Not Found\n"};  // Routing has checked the text: no route leads here.
      return false;
    } else {
      value_ = Kind::extract(request, refusal);
      return value_.has_value();
    }
  }
  A&& pass() noexcept {
    if (!value_) std::terminate();  // Only what fill() gave is passed on.
    return static_cast<A&&>(*value_);
  }

 private:
  using Kind = Argument<ArgumentType<A>>;
  std::optional<typename Kind::Value> value_;
};

template <class A>
  requires is_request<A>
class Holder<A> {
 public:
  bool fill(Request& request, std::size_t&, Refusal&) noexcept {
    request_ = &request;
    return true;
  }
  A&& pass() noexcept { return *request_; }

 private:
  Request* request_ = nullptr;
};

template <class Arguments>
class Holders;
template <class... A>
class Holders<std::tuple<A...>> {
 public:
  /// In order, up to the first that refuses: that is answered, and the handler does not run.
  bool fill_or_refuse(Request& request) {
    std::size_t parameter = 0;
    Refusal refusal;
    const bool filled = std::apply(
        [&](auto&... holder) { return (holder.fill(request, parameter, refusal) && ...); }, holders_);
    if (!filled) [[unlikely]]
      reply_error(request, refusal.status, refusal.message);
    return filled;
  }
  template <class F>
  decltype(auto) call(const F& handler) {
    return std::apply([&handler](auto&... holder) -> decltype(auto) { return handler(holder.pass()...); },
                      holders_);
  }

 private:
  std::tuple<Holder<A>...> holders_;
};

/// What a handler gives, without const and reference: a response, or a text.
template <class R>
concept HandlerResult = std::same_as<R, Response> || std::same_as<R, Fixed> ||
                        std::convertible_to<std::add_lvalue_reference_t<const R>, std::string_view>;

template <class R>
  requires HandlerResult<std::remove_cvref_t<R>>
void answer(Request& request, R&& result) {
  using Result = std::remove_cvref_t<R>;
  if constexpr (std::same_as<Result, Response>) {
    reply(request, Response(std::forward<R>(result)));
  } else if constexpr (std::same_as<Result, Fixed>) {
    reply_fixed(request, result.bytes());
  } else {
    reply_text(request, std::string_view(result));
  }
}

/// Calls `make`, and logs what it throws.
template <class F>
bool make_safely(Request& request, F&& make) noexcept {
  try {
    make();
    return true;
  } catch (const std::exception& exception) {
    log_failure(request, exception.what());
  } catch (...) {
    log_failure(request, "an exception that is no std::exception");
  }
  return false;
}

/// Within a catch block.
inline void answer_exception(Request& request) noexcept {
  for (const ExceptionPage& page : exception_pages(request)) {
    Response response;
    switch (page.make(page.self, request, response)) {
      case ExceptionPage::Outcome::other_type: continue;
      case ExceptionPage::Outcome::failed: return reply_failed(request, nullptr);
      case ExceptionPage::Outcome::made:
        if (!response.has_status()) response.status(500);
        return reply(request, std::move(response));
    }
  }
  try {
    throw;
  } catch (const HttpError& error) {
    reply_error(request, error.status(), error.what());
  } catch (const std::exception& exception) {
    reply_failed(request, exception.what());
  } catch (...) {
    reply_failed(request, "an exception that is no std::exception");
  }
}

template <class F>
void start_synchronous(void* self, Request& request) noexcept {
  const F& handler = *static_cast<const F*>(self);
  try {
    Holders<typename Signature<F>::Arguments> arguments;
    if (!arguments.fill_or_refuse(request)) return;
    answer(request, arguments.call(handler));
  } catch (...) {
    answer_exception(request);
  }
}

/// The path parameters' checks, in order.
template <class Arguments>
inline constexpr auto parameter_checks = 0;
template <class... A>
inline constexpr auto parameter_checks<std::tuple<A...>> = [] {
  std::array<ParameterCheck, ArgumentList<std::tuple<A...>>::path_parameters> checks{};
  std::size_t count = 0;
  const auto add = [&]<class T>(std::type_identity<T>) {
    if constexpr (PathArgument<T>) checks[count++] = parameter_check<T>();
  };
  (add(std::type_identity<ArgumentType<A>>{}), ...);
  (void)count;
  (void)add;
  return checks;
}();

/// Those up to the last parameter that has one: a text is right as it came.
template <class Arguments>
constexpr std::span<const ParameterCheck> needed_checks() noexcept {
  std::span<const ParameterCheck> checks = parameter_checks<Arguments>;
  while (!checks.empty() && checks.back() == nullptr) checks = checks.first(checks.size() - 1);
  return checks;
}

template <class T>
void destroy(void* self) noexcept {
  delete static_cast<T*>(self);
}

}  // namespace millrace::detail
