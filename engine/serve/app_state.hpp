// app_state.hpp: what an App holds: routes and error pages, while they are collected and while they serve.
//
// Owner       an App. Changed by one thread, before the server starts; then read by all cores.
// Invariants  a Route, a GroupState and a Middleware stay where they are: others point to them.
#pragma once

#include <millrace/app.hpp>
#include <millrace/detail/bridge.hpp>
#include <millrace/route_pattern.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/http/head.hpp"

namespace millrace::serve {

class AppState;
class Output;
struct Chain;

/// A group of routes, or all of an application.
struct GroupState {
  AppState* state;
  const GroupState* parent = nullptr;  ///< Of a mounted application's own: one of the application around it.
  std::string prefix = {};
  std::vector<const detail::Middleware*> middleware = {};
  bool is_host = false;  ///< The routes in it are for one host.

  /// The group of a host that this one is in, or is; null: for no host.
  const GroupState* host() const noexcept;
  /// All prefixes from the outermost on.
  std::string whole_prefix() const;
};

struct Route {
  const AppState* state;
  std::string pattern;  ///< From its group on; in a Dispatch the whole of it.
  std::string kind;     ///< "handler", "respond"...: for people.
  detail::Entry entry;
  const GroupState* group = nullptr;
  std::vector<const detail::Middleware*> middleware = {};  ///< Of this route alone.
  std::uint64_t body_bytes_max = 0;                        ///< In a Dispatch: 0 for the server's.
  const Chain* chain = nullptr;  ///< In a Dispatch: all the middleware around it; null: none.
  /// In a Dispatch: answers what its path has no route for, as preflights. Null: its group does.
  const Route* unrouted = nullptr;
  http::Method method = http::Method::get;
  bool any = false;  ///< Every method without a route of its own; `method` does not count.

  std::string_view method_text() const noexcept { return any ? "*" : http::name_of(method); }
};

class AppState {
 public:
  AppState();
  AppState(const AppState&) = delete;
  AppState& operator=(const AppState&) = delete;
  ~AppState();

  /// method: "GET"..., or "*" for any. Owns the entry from here on, whatever comes of it.
  /// Returns an empty string, or a sentence that says what is wrong; then nothing was added.
  [[nodiscard]] std::string add(std::string_view method, std::string_view pattern, const detail::Entry& entry,
                                std::string_view kind = "handler");
  [[nodiscard]] std::string add_to(const GroupState& group, std::string_view method, std::string_view pattern,
                                   const detail::Entry& entry, std::string_view kind = "handler");

  /// All of the application.
  GroupState& root() noexcept { return groups_.front(); }
  const GroupState& root() const noexcept { return groups_.front(); }
  GroupState& add_group(const GroupState& parent, std::string_view prefix);
  /// The group of the routes for one host; the same for the same name. Judged by Site::build().
  GroupState& host(std::string_view name);
  /// Owns the middleware from here on, for groups and routes to name.
  const detail::Middleware& keep(const detail::Middleware& middleware);
  /// Behind the middleware that the route added last has.
  void use_for_last(const detail::Middleware& middleware);
  /// Owns `other`, whose root becomes a group here.
  void mount(std::string_view prefix, std::unique_ptr<AppState> other);
  /// What an application asked for and cannot have: told when the server starts, the first of them.
  void add_problem(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }
  /// Its own, else that of an application mounted in it; empty: none.
  const std::string& problem() const noexcept;
  /// In place of the one before for that status.
  void set_error_page(unsigned status, const detail::ErrorPage& page);
  void add_exception_page(const detail::ExceptionPage& page);

  /// In the order they were added.
  std::span<const std::unique_ptr<Route>> routes() const noexcept { return routes_; }
  const std::deque<GroupState>& groups() const noexcept { return groups_; }
  const std::map<std::string, GroupState*, std::less<>>& hosts() const noexcept { return hosts_; }
  std::span<const std::unique_ptr<AppState>> mounted() const noexcept { return mounted_; }
  /// What its middleware and that of mounted applications writes to.
  std::vector<Output*> outputs() const;
  /// Its own, else that of the application it is mounted in. Null where there is none.
  const detail::ErrorPage* error_page(unsigned status) const noexcept;
  std::span<const detail::ExceptionPage> exception_pages() const noexcept;

 private:
  const AppState* around() const noexcept;

  std::deque<GroupState> groups_;  ///< The first is the root; none moves.
  std::map<std::string, GroupState*, std::less<>> hosts_;
  std::deque<detail::Middleware> middleware_;
  std::vector<std::unique_ptr<AppState>> mounted_;
  std::vector<std::unique_ptr<Route>> routes_;
  std::map<unsigned, detail::ErrorPage> error_pages_;
  std::vector<detail::ExceptionPage> exception_pages_;
  std::string problem_;
};

}  // namespace millrace::serve
