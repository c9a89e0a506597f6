// app.hpp: an application: its routes, their handlers, its error pages.
#pragma once

#include <millrace/detail/bridge.hpp>
#include <millrace/group.hpp>
#include <millrace/namespace.hpp>

#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace millrace {

class App;

namespace serve {
class AppState;
AppState& state_of(App& app) noexcept;
}  // namespace serve

/// A handler is any callable, or an mr::fixed() reply.
///   takes   by type: path parameters in order (std::string_view, std::string, integers, double, bool),
///           mr::Request&, mr::Json<T>, mr::Query<T>, mr::Form<T>, mr::FormData. A path parameter that is
///           not of its type does not match the route: 404.
///   gives   text (200, text/plain; charset=utf-8), mr::Response, mr::Fixed, or a mr::Task of one of them, or
///           of nothing: then it has streamed its reply (Request::stream()), or the client gets a 204.
///   throws  whatever it likes: see on_error(); mr::HttpError is answered with its status; of all else the
///           client gets a 500, and the log what().
/// get(), post() and the like take middleware for the one route behind the handler; use() is for all.
/// It is called by all cores at once, so it is const, and what it shares must be safe for threads.
///
/// Precedence, segment by segment: literal, {parameter}, `*`. HEAD is answered by the GET route, OPTIONS
/// and 405 by what there is, unless a route is there for it.
class App : public detail::Verbs<App> {
 public:
  App();
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  /// Makes the answer for a status that the engine or a failed handler gives: 400, 404, 405, 408, 413, 414,
  /// 415, 417, 431, 500, 501, 503, 505. `page` takes nothing or mr::Request& and returns text or a
  /// Response; where that sets no status, the status stays. Of a request that was refused before it was
  /// understood, the Request is empty.
  template <class F>
  App& on_error(unsigned status, F&& page);

  /// Makes the answer for an exception of type E, or derived from it, that a handler throws. `page` takes
  /// const E&, and mr::Request& behind it if it likes, and returns text (500) or a Response. The first that
  /// fits, in the order of these calls, is used.
  template <class E, class F>
  App& on_error(F&& page);

  /// Routes for requests to one host alone: "example.org", or "*.example.org" for every name below it; any
  /// port. Middleware of the application is around them, its routes are not among them. A host that is named
  /// nowhere gets the application's own routes; where it has none, 421. A name that is none is told by the
  /// server's start. The same name is the same group.
  Group host(std::string_view name);

  /// Puts all of another application below a prefix: routes, groups, middleware, which is further in than
  /// this one's, and the pages of its routes' errors. It has no hosts.
  App& mount(detail::GroupPrefix prefix, App&& other);

  /// Reads flags, environment and configuration file, serves until told to stop, and gives the status for
  /// the process to exit with.
  int run(int argc, char** argv);

 private:
  friend serve::AppState& serve::state_of(App& app) noexcept;
  explicit App(std::unique_ptr<serve::AppState> state) noexcept;

  std::unique_ptr<serve::AppState> state_;
};

}  // namespace millrace

// The engine itself is built without exceptions, and needs the class alone.
#ifdef __cpp_exceptions
#include <millrace/detail/app_routes.hpp>
#include <millrace/detail/socket_handler.hpp>
#endif
