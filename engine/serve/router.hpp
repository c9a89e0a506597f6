// router.hpp: from method and path to a route.
//
//   path -> PathTable (static paths)             -> Leaf -> Route
//        -> PathTable (literals, one parameter) -^
//        -> tree of segments                    -^
//
// Owner       a Dispatch; built once, then read by all cores.
// Precedence  segment by segment: literal, parameter, wildcard, going back where what was chosen leads
//             nowhere: another method, a parameter that is not of its type, a longer path.
// Cost        a static path: one hash, one comparison. One that ends in its only parameter: once more the same.
//             Others: a step a segment; going back is bounded by the patterns there are, not by the path.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/http/head.hpp"
#include "engine/http/target.hpp"
#include "engine/proto/exchange.hpp"
#include "engine/serve/app_state.hpp"
#include "engine/serve/path_table.hpp"

namespace millrace::serve {

/// Bit n: http::Method n.
using MethodSet = std::uint16_t;
constexpr MethodSet bit(http::Method method) noexcept {
  return static_cast<MethodSet>(1u << static_cast<unsigned>(method));
}

/// The routes of one pattern: what answers each method, fallbacks included.
struct Leaf {
  std::array<const Route*, http::method_count> by_method{};
};

using Parameters = std::array<std::string_view, proto::Exchange::parameters_max>;

class Router {
 public:
  Router() = default;
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;
  ~Router();

  /// Null, and `problem`, where two routes are for the same.
  static std::unique_ptr<Router> build(std::span<const std::unique_ptr<Route>> routes, std::string& problem);

  /// Null where no route matches. The parameters are views of target.path.
  const Route* find(http::Method method, const http::Target& target, Parameters& parameters,
                    std::uint8_t& count) const noexcept;

  /// The methods that some route answers for this path; OPTIONS is one of them wherever there is another.
  MethodSet allowed(const http::Target& target) const noexcept;
  /// The methods that some route answers for any path.
  MethodSet allowed_anywhere() const noexcept { return anywhere_; }

 private:
  struct Node;
  struct Walk;
  Node& node_for(std::string_view pattern, bool& wildcard);
  void add_prefixes(const Node& node, const std::string& path);
  const Route* find_in_tree(http::Method method, const http::Target& target, Parameters& parameters,
                            std::uint8_t& count) const noexcept;

  std::unique_ptr<Node> root_;
  std::unique_ptr<PathTable> table_;
  std::unique_ptr<PathTable> prefixes_;  ///< What stands before a pattern's only parameter, its last segment.
  MethodSet anywhere_ = 0;
};

/// "Allow: GET, HEAD, OPTIONS\r\n", sorted by name; `out` is long enough for all methods.
inline constexpr std::size_t allow_bytes_max = 96;
std::string_view write_allow(MethodSet methods, std::span<char, allow_bytes_max> out) noexcept;

}  // namespace millrace::serve
