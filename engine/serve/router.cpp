#include "engine/serve/router.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/base/assert.hpp"

namespace millrace::serve {
namespace {

static_assert(detail::pattern_parameters_max == proto::Exchange::parameters_max);

/// What an Allow field may name. `any` answers TRACE and the methods the engine does not know beside them;
/// not CONNECT, which asks for a tunnel (RFC 9110 section 9.3.6).
constexpr http::Method any_methods[] = {http::Method::delete_, http::Method::get,   http::Method::head,
                                        http::Method::options, http::Method::patch, http::Method::post,
                                        http::Method::put};

const Route*& place(Leaf& leaf, http::Method method) noexcept {
  return leaf.by_method[static_cast<unsigned>(method)];
}

bool accepts(const Route& route, const Parameters& parameters) noexcept {
  const std::string_view* text = parameters.data();
  for (const detail::ParameterCheck check : route.entry.checks) {
    if (check != nullptr && !check(*text)) return false;
    ++text;
  }
  return true;
}

MethodSet methods_of(const Leaf& leaf, const Parameters& parameters) noexcept {
  MethodSet methods = 0;
  for (const http::Method method : any_methods) {
    const Route* route = leaf.by_method[static_cast<unsigned>(method)];
    if (route != nullptr && accepts(*route, parameters)) methods |= bit(method);
  }
  return methods != 0 ? static_cast<MethodSet>(methods | bit(http::Method::options)) : methods;
}

std::string clash(const Route& route, const Route& other) {
  std::string text = "two routes are for the same: " + std::string(route.method_text()) + " " + other.pattern;
  if (route.pattern != other.pattern) text += " and " + route.pattern;
  return text;
}

}  // namespace

/// The place behind a segment.
struct Router::Node {
  struct Collected {
    Leaf routes;  ///< By their own methods; once settled, with the fallbacks.
    const Route* any = nullptr;
    bool used = false;
  };
  using Literal = std::pair<std::string, std::unique_ptr<Node>>;
  std::vector<Literal> literals;  ///< Sorted: see stands_before().
  std::unique_ptr<Node> parameter;
  Collected here;  ///< Patterns that end here.
  Collected rest;  ///< Patterns with a wildcard behind.

  /// Shorter ones first: most comparisons end at the size.
  static bool stands_before(const Literal& literal, std::string_view segment) noexcept {
    const std::size_t size = literal.first.size();
    return size != segment.size() ? size < segment.size() : literal.first < segment;
  }

  Node* literal(std::string_view segment) const noexcept {
    const auto at = std::lower_bound(literals.begin(), literals.end(), segment, stands_before);
    return at != literals.end() && at->first == segment ? at->second.get() : nullptr;
  }
  Node& add(std::string_view segment) {
    if (detail::is_parameter(segment)) {
      if (parameter == nullptr) parameter = std::make_unique<Node>();
      return *parameter;
    }
    if (Node* known = literal(segment)) return *known;
    const auto at = std::lower_bound(literals.begin(), literals.end(), segment, stands_before);
    return *literals.emplace(at, segment, std::make_unique<Node>())->second;
  }
  void settle() noexcept {
    settle(here);
    settle(rest);
    for (auto& [segment, node] : literals) node->settle();
    if (parameter != nullptr) parameter->settle();
  }
  // HEAD is GET without the content (RFC 9110 section 9.3.2): the GET route is nearer to it than `any`.
  static void settle(Collected& collected) noexcept {
    const Route*& head = place(collected.routes, http::Method::head);
    if (head == nullptr) head = place(collected.routes, http::Method::get);
    if (collected.any == nullptr) return;
    for (unsigned i = 0; i < http::method_count; ++i) {
      const Route*& route = collected.routes.by_method[i];
      if (route == nullptr && static_cast<http::Method>(i) != http::Method::connect) route = collected.any;
    }
  }
};

Router::~Router() = default;

// The node for a pattern, made where it is missing.
Router::Node& Router::node_for(std::string_view pattern, bool& wildcard) {
  Node* node = root_.get();
  wildcard = false;
  for (std::size_t at = 1;;) {
    const std::size_t end = std::min(pattern.find('/', at), pattern.size());
    const std::string_view segment = pattern.substr(at, end - at);
    if (segment == "*") {
      wildcard = true;
      return *node;
    }
    node = &node->add(segment);
    if (end == pattern.size()) return *node;
    at = end + 1;
  }
}

std::unique_ptr<Router> Router::build(std::span<const std::unique_ptr<Route>> routes, std::string& problem) {
  auto router = std::make_unique<Router>();
  router->root_ = std::make_unique<Node>();
  router->table_ = std::make_unique<PathTable>(routes.size());
  for (const std::unique_ptr<Route>& route : routes) {
    bool wildcard = false;
    Node& node = router->node_for(route->pattern, wildcard);
    Node::Collected& collected = wildcard ? node.rest : node.here;
    const Route*& taken = route->any ? collected.any : place(collected.routes, route->method);
    if (taken != nullptr) {
      problem = clash(*route, *taken);
      return nullptr;
    }
    taken = route.get();
    const bool first = !std::exchange(collected.used, true);
    const bool is_static = !wildcard && route->pattern.find('{') == std::string::npos;
    if (first && is_static) router->table_->add(route->pattern, collected.routes);
    for (const http::Method method : any_methods) {
      if (route->any || route->method == method) router->anywhere_ |= bit(method);
    }
  }
  router->root_->settle();
  router->prefixes_ = std::make_unique<PathTable>(routes.size());
  router->add_prefixes(*router->root_, "/");
  if ((router->anywhere_ & bit(http::Method::get)) != 0) router->anywhere_ |= bit(http::Method::head);
  router->anywhere_ |= bit(http::Method::options);
  return router;
}

// `path` leads to the node by literals alone, so that the tree's first way to the parameter behind it is this
// one, unless a literal is there with a wildcard, which takes the path that ends with that literal.
void Router::add_prefixes(const Node& node, const std::string& path) {
  bool wildcards = false;
  for (const auto& [segment, next] : node.literals) {
    wildcards = wildcards || next->rest.used;
    add_prefixes(*next, path + segment + "/");
  }
  if (node.parameter != nullptr && node.parameter->here.used && !wildcards) {
    prefixes_->add(path, node.parameter->here.routes);
  }
}

// What is no static path, and does not match the one pattern that is likely, goes through the tree.
const Route* Router::find(http::Method method, const http::Target& target, Parameters& parameters,
                          std::uint8_t& count) const noexcept {
  count = 0;
  const std::string_view path = target.path;
  if (target.encoded_slash_count != 0) [[unlikely]]  // It is data, which no literal segment holds.
    return find_in_tree(method, target, parameters, count);
  if (const Leaf* leaf = table_->find(path)) {
    const Route* route = leaf->by_method[static_cast<unsigned>(method)];
    if (route != nullptr) [[likely]]
      return route;
  }
  const void* found = path.empty() ? nullptr : ::memrchr(path.data(), '/', path.size());
  const auto* slash = static_cast<const char*>(found);
  if (slash == nullptr) [[unlikely]]
    return nullptr;  // "*", or the authority of a CONNECT.
  const auto prefix_bytes = static_cast<std::size_t>(slash - path.data()) + 1;
  const Leaf* leaf = prefixes_->find({path.data(), prefix_bytes});
  if (leaf != nullptr && prefix_bytes != path.size()) [[likely]] {
    const Route* route = leaf->by_method[static_cast<unsigned>(method)];
    parameters[0] = {path.data() + prefix_bytes, path.size() - prefix_bytes};
    if (route != nullptr && accepts(*route, parameters)) [[likely]] {
      count = 1;
      return route;
    }
  }
  return find_in_tree(method, target, parameters, count);
}

/// One way through the tree. Visit: bool(const Leaf&), true to stop.
struct Router::Walk {
  const http::Target& target;
  Parameters& parameters;
  std::uint8_t& count;

  std::size_t segment_end(std::size_t at) const noexcept {
    for (;; ++at) {
      at = target.path.find('/', at);
      if (at == std::string_view::npos) return target.path.size();
      if (target.encoded_slash_count == 0 || target.is_separator(at)) return at;
    }
  }

  /// node is the place before the segment at `at`.
  template <class Visit>
  bool visit(const Node& node, std::size_t at, const Visit& leaf) noexcept {
    const std::size_t end = segment_end(at);
    const std::string_view segment = target.path.substr(at, end - at);
    if (const Node* next = node.literal(segment)) {
      if (behind(*next, end, leaf)) return true;
    }
    if (node.parameter != nullptr && !segment.empty()) {
      parameters[count++] = segment;
      if (behind(*node.parameter, end, leaf)) return true;
      --count;
    }
    return node.rest.used && rest(node, target.path.substr(at), leaf);
  }

  template <class Visit>
  bool behind(const Node& node, std::size_t end, const Visit& leaf) noexcept {
    if (end != target.path.size()) return visit(node, end + 1, leaf);
    if (node.here.used && leaf(node.here.routes)) return true;
    return node.rest.used && rest(node, {}, leaf);  // "/static" is matched by "/static/*" too.
  }

  template <class Visit>
  bool rest(const Node& node, std::string_view text, const Visit& leaf) noexcept {
    parameters[count++] = text;
    if (leaf(node.rest.routes)) return true;
    --count;
    return false;
  }
};

const Route* Router::find_in_tree(http::Method method, const http::Target& target, Parameters& parameters,
                                  std::uint8_t& count) const noexcept {
  if (!target.path.starts_with('/')) return nullptr;  // "*", or the authority of a CONNECT.
  const Route* found = nullptr;
  Walk{target, parameters, count}.visit(*root_, 1, [&](const Leaf& leaf) noexcept {
    const Route* route = leaf.by_method[static_cast<unsigned>(method)];
    if (route == nullptr || !accepts(*route, parameters)) return false;
    found = route;
    return true;
  });
  return found;
}

MethodSet Router::allowed(const http::Target& target) const noexcept {
  if (!target.path.starts_with('/')) return 0;
  Parameters parameters;
  std::uint8_t count = 0;
  MethodSet methods = 0;
  Walk{target, parameters, count}.visit(*root_, 1, [&](const Leaf& leaf) noexcept {
    methods |= methods_of(leaf, parameters);
    return false;
  });
  return methods;
}

std::string_view write_allow(MethodSet methods, std::span<char, allow_bytes_max> out) noexcept {
  char* to = out.data();
  const auto put = [&to](std::string_view text) { to += text.copy(to, text.size()); };
  put("Allow: ");
  std::string_view comma = "";
  for (const http::Method method : any_methods) {
    if ((methods & bit(method)) == 0) continue;
    put(comma);
    put(http::name_of(method));
    comma = ", ";
  }
  put("\r\n");
  return {out.data(), static_cast<std::size_t>(to - out.data())};
}

}  // namespace millrace::serve
