#include "engine/serve/app_state.hpp"

#include "engine/base/assert.hpp"

namespace millrace::serve {
namespace {

const char* describe(detail::PatternFault fault) noexcept {
  using detail::PatternFault;
  switch (fault) {
    case PatternFault::none: return "";
    case PatternFault::no_leading_slash: return "it must start with a slash";
    case PatternFault::empty_segment: return "it has an empty segment";
    case PatternFault::bad_character: return "it has a character that no decoded path has";
    case PatternFault::stray_brace: return "a {parameter} must be a whole segment";
    case PatternFault::bad_parameter_name: return "a parameter's name is letters, digits and _";
    case PatternFault::parameter_twice: return "it names a parameter twice";
    case PatternFault::stray_wildcard: return "a * must be the whole last segment";
    case PatternFault::too_many_parameters: return "it has more than 8 parameters";
  }
  MR_UNREACHABLE("a PatternFault without a sentence");
}

void destroy(const detail::Entry& entry) noexcept {
  if (entry.destroy != nullptr) entry.destroy(entry.self);
}

}  // namespace

AppState::~AppState() {
  for (const std::unique_ptr<Route>& route : routes_) destroy(route->entry);
  for (const auto& [status, page] : error_pages_) page.destroy(page.self);
  for (const detail::ExceptionPage& page : exception_pages_) page.destroy(page.self);
}

std::string AppState::add(std::string_view method, std::string_view pattern, const detail::Entry& entry,
                          std::string_view kind) {
  MR_ASSERT(entry.start != nullptr);
  const bool any = method == "*";
  const http::Method known = http::method_from(method);
  std::string problem;
  if (const detail::PatternShape shape = detail::read_pattern(pattern);
      shape.fault != detail::PatternFault::none) {
    problem = "the route pattern \"" + std::string(pattern) + "\" is not valid: " + describe(shape.fault);
  } else if (!any && (known == http::Method::other || known == http::Method::trace ||
                      known == http::Method::connect)) {
    problem = "no route can be for the method \"" + std::string(method) + "\"";
  } else {
    MR_ASSERT(entry.checks.size() <= std::size_t{shape.parameters} + shape.wildcard);
    routes_.push_back(std::make_unique<Route>(Route{.state = this,
                                                    .pattern = std::string(pattern),
                                                    .kind = std::string(kind),
                                                    .entry = entry,
                                                    .method = known,
                                                    .any = any}));
    return {};
  }
  destroy(entry);
  return problem;
}

void AppState::set_error_page(unsigned status, const detail::ErrorPage& page) {
  detail::ErrorPage& place = error_pages_[status];
  if (place.destroy != nullptr) place.destroy(place.self);
  place = page;
}

void AppState::add_exception_page(const detail::ExceptionPage& page) { exception_pages_.push_back(page); }

const detail::ErrorPage* AppState::error_page(unsigned status) const noexcept {
  const auto found = error_pages_.find(status);
  return found != error_pages_.end() ? &found->second : nullptr;
}

}  // namespace millrace::serve
