// The parts of App that know no types of the user's.
#include <millrace/app.hpp>

#include <utility>

#include "engine/base/assert.hpp"
#include "engine/serve/app_state.hpp"

namespace millrace {

App::App() : App(std::make_unique<serve::AppState>()) {}
App::App(std::unique_ptr<serve::AppState> state) noexcept : Verbs(&state->root()), state_(std::move(state)) {}
App::~App() = default;

Group App::host(std::string_view name) { return Group(state_->host(name)); }

App& App::mount(detail::GroupPrefix prefix, App&& other) {
  MR_ASSERT(other.state_->hosts().empty());
  state_->mount(prefix.text(), std::move(other.state_));
  // What is left is an empty application, not one that can be used only to be destroyed.
  other.state_ = std::make_unique<serve::AppState>();
  other.group_ = &other.state_->root();
  return *this;
}

serve::AppState& serve::state_of(App& app) noexcept { return *app.state_; }

namespace detail {

void add_route(serve::GroupState& group, std::string_view method, std::string_view pattern,
               const Entry& entry, std::span<const Middleware> middleware) {
  const std::string problem = group.state->add_to(group, method, pattern, entry);
  MR_ASSERT(problem.empty());  // Method and pattern were checked while compiling.
  for (const Middleware& one : middleware) group.state->use_for_last(one);
}

void use(serve::GroupState& group, const Middleware& middleware) {
  group.middleware.push_back(&group.state->keep(middleware));
}

serve::GroupState& add_group(serve::GroupState& group, std::string_view prefix) {
  return group.state->add_group(group, prefix);
}

void add_error_page(serve::AppState& state, unsigned status, const ErrorPage& page) {
  state.set_error_page(status, page);
}

void add_exception_page(serve::AppState& state, const ExceptionPage& page) { state.add_exception_page(page); }

}  // namespace detail
}  // namespace millrace
