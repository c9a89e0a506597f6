#include "engine/serve/app_state.hpp"

#include <algorithm>
#include <utility>

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

std::string GroupState::whole_prefix() const {
  return parent != nullptr ? parent->whole_prefix() + prefix : prefix;
}

const GroupState* GroupState::host() const noexcept {
  if (is_host) return this;
  return parent != nullptr ? parent->host() : nullptr;
}

AppState::AppState() { groups_.push_back({.state = this}); }

AppState::~AppState() {
  for (const std::unique_ptr<Route>& route : routes_) destroy(route->entry);
  for (const detail::Middleware& middleware : middleware_) {
    if (middleware.destroy != nullptr) middleware.destroy(middleware.self);
  }
  for (const auto& [status, page] : error_pages_) page.destroy(page.self);
  for (const detail::ExceptionPage& page : exception_pages_) page.destroy(page.self);
}

GroupState& AppState::add_group(const GroupState& parent, std::string_view prefix) {
  MR_ASSERT(parent.state == this);
  return groups_.emplace_back(GroupState{.state = this, .parent = &parent, .prefix = std::string(prefix)});
}

GroupState& AppState::host(std::string_view name) {
  if (const auto known = hosts_.find(name); known != hosts_.end()) return *known->second;
  GroupState& group = add_group(root(), {});
  group.is_host = true;
  hosts_.emplace(name, &group);
  return group;
}

const detail::Middleware& AppState::keep(const detail::Middleware& middleware) {
  MR_ASSERT((middleware.around != nullptr) == (middleware.start_chain != nullptr));
  return middleware_.emplace_back(middleware);
}

void AppState::use_for_last(const detail::Middleware& middleware) {
  MR_ASSERT(!routes_.empty());
  routes_.back()->middleware.push_back(&keep(middleware));
}

void AppState::mount(std::string_view prefix, std::unique_ptr<AppState> other) {
  GroupState& inner = other->root();
  inner.parent = &root();
  inner.prefix = prefix;
  mounted_.push_back(std::move(other));
}

const std::string& AppState::problem() const noexcept {
  if (!problem_.empty()) return problem_;
  for (const std::unique_ptr<AppState>& other : mounted_) {
    if (!other->problem().empty()) return other->problem();
  }
  return problem_;
}

std::string AppState::add(std::string_view method, std::string_view pattern, const detail::Entry& entry,
                          std::string_view kind) {
  return add_to(root(), method, pattern, entry, kind);
}

std::string AppState::add_to(const GroupState& group, std::string_view method, std::string_view pattern,
                             const detail::Entry& entry, std::string_view kind) {
  MR_ASSERT(group.state == this);
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
                                                    .group = &group,
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
  if (found != error_pages_.end()) return &found->second;
  const AppState* outer = around();
  return outer != nullptr ? outer->error_page(status) : nullptr;
}

std::span<const detail::ExceptionPage> AppState::exception_pages() const noexcept {
  const AppState* outer = around();
  return exception_pages_.empty() && outer != nullptr ? outer->exception_pages() : exception_pages_;
}

std::vector<Output*> AppState::outputs() const {
  std::vector<Output*> found;
  for (const detail::Middleware& middleware : middleware_) {
    if (middleware.output != nullptr) found.push_back(middleware.output);
  }
  for (const std::unique_ptr<AppState>& mounted : mounted_) {
    const std::vector<Output*> inner = mounted->outputs();
    found.insert(found.end(), inner.begin(), inner.end());
  }
  // Copies of one middleware write to the same.
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

const AppState* AppState::around() const noexcept {
  const GroupState* parent = root().parent;
  return parent != nullptr ? parent->state : nullptr;
}

}  // namespace millrace::serve
