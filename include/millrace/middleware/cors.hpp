// cors.hpp: which pages of other origins may read what is served here. Source: the Fetch standard, section 3.2.
//
//   app.group("/api").use(mr::cors({.origins = {"https://example.org"}, .credentials = true}));
#pragma once

#include <millrace/namespace.hpp>
#include <millrace/reply.hpp>
#include <millrace/request.hpp>
#include <millrace/response.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

struct CorsOptions {
  std::vector<std::string> origins = {
      "*"};  ///< "https://example.org", exactly as browsers send it; "*": every one.
  std::vector<std::string> methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  std::vector<std::string> headers = {"Content-Type",
                                      "Authorization"};  ///< That a request may have; "*": every one.
  std::vector<std::string> expose = {};                  ///< Of replies, for scripts to read.
  /// Cookies and the like may be sent. Only for origins that are named: with "*" it has no effect.
  bool credentials = false;
  std::chrono::seconds max_age = std::chrono::minutes(10);  ///< How long a preflight's answer is good for.
};

/// Answers preflights itself (204), before anything further in: also for a path without a route. To an origin
/// that may not, it says nothing, and the browser refuses. Around a group or all; behind one route's handler it
/// also answers the preflights for it, in place of one further out.
class Cors {
 public:
  static constexpr bool inner_counts = true;
  explicit Cors(const CorsOptions& options);
  std::optional<Response> before(Request& request) const;
  void after(Request& request, Reply& reply) const;

 private:
  bool allows(std::string_view origin) const noexcept;

  std::vector<std::string> origins_;
  bool every_origin_;
  bool credentials_;
  std::string methods_, headers_, expose_, max_age_;
};

inline Cors cors(const CorsOptions& options = {}) { return Cors(options); }

}  // namespace millrace
