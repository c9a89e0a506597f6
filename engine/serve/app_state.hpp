// app_state.hpp: what an App holds: routes and error pages, while they are collected and while they serve.
//
// Owner       an App. Changed by one thread, before the server starts; then read by all cores.
// Invariants  a Route stays where it is: exchanges and routers point to it.
#pragma once

#include <millrace/app.hpp>
#include <millrace/detail/bridge.hpp>
#include <millrace/route_pattern.hpp>

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/http/head.hpp"

namespace millrace::serve {

class AppState;

struct Route {
  const AppState* state;
  std::string pattern;
  std::string kind;  ///< "handler", "respond"...: for people.
  detail::Entry entry;
  http::Method method = http::Method::get;
  bool any = false;  ///< Every method without a route of its own; `method` does not count.

  std::string_view method_text() const noexcept { return any ? "*" : http::name_of(method); }
};

class AppState {
 public:
  AppState() = default;
  AppState(const AppState&) = delete;
  AppState& operator=(const AppState&) = delete;
  ~AppState();

  /// method: "GET"..., or "*" for any. Owns the entry from here on, whatever comes of it.
  /// Returns an empty string, or a sentence that says what is wrong; then nothing was added.
  [[nodiscard]] std::string add(std::string_view method, std::string_view pattern, const detail::Entry& entry,
                                std::string_view kind = "handler");
  /// In place of the one before for that status.
  void set_error_page(unsigned status, const detail::ErrorPage& page);
  void add_exception_page(const detail::ExceptionPage& page);

  /// In the order they were added.
  std::span<const std::unique_ptr<Route>> routes() const noexcept { return routes_; }
  /// Null where there is none.
  const detail::ErrorPage* error_page(unsigned status) const noexcept;
  std::span<const detail::ExceptionPage> exception_pages() const noexcept { return exception_pages_; }

 private:
  std::vector<std::unique_ptr<Route>> routes_;
  std::map<unsigned, detail::ErrorPage> error_pages_;
  std::vector<detail::ExceptionPage> exception_pages_;
};

}  // namespace millrace::serve
