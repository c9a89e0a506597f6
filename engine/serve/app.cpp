// The parts of App that know no types of the user's.
#include <millrace/app.hpp>

#include "engine/base/assert.hpp"
#include "engine/serve/app_state.hpp"

namespace millrace {

App::App() : state_(std::make_unique<serve::AppState>()) {}
App::~App() = default;

serve::AppState& serve::state_of(App& app) noexcept { return *app.state_; }

namespace detail {

void add_route(serve::AppState& state, std::string_view method, std::string_view pattern,
               const Entry& entry) {
  const std::string problem = state.add(method, pattern, entry);
  MR_ASSERT(problem.empty());  // Method and pattern were checked while compiling.
}

void add_error_page(serve::AppState& state, unsigned status, const ErrorPage& page) {
  state.set_error_page(status, page);
}

void add_exception_page(serve::AppState& state, const ExceptionPage& page) { state.add_exception_page(page); }

}  // namespace detail
}  // namespace millrace
