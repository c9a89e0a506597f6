#include "engine/ext/files/files.hpp"

#include <time.h>

#include <atomic>
#include <cstring>
#include <functional>

#include <fmt/format.h>

#include "engine/base/assert.hpp"
#include "engine/ext/files/cache.hpp"
#include "engine/ext/files/listing.hpp"
#include "engine/ext/files/loader.hpp"
#include "engine/ext/files/location.hpp"
#include "engine/ext/files/reply.hpp"
#include "engine/ext/files/scratch.hpp"
#include "engine/proto/exchange.hpp"
#include "engine/serve/app_state.hpp"

namespace millrace::files {
namespace {

std::atomic<std::uint64_t> routes_made{0};

class FilesHandler {
 public:
  FilesHandler(int directory, const FilesOptions& options, Clock clock)
      : loader_(directory, options), number_(routes_made.fetch_add(1)), clock_(clock) {}
  ~FilesHandler() { drop_cache(number_); }

  static void start(void* self, Request& request) noexcept {
    static_cast<FilesHandler*>(self)->serve(request);
  }
  static void destroy(void* self) noexcept { delete static_cast<FilesHandler*>(self); }

 private:
  void serve(Request& request) const noexcept;
  Root::Outcome serve_name(Request& request, std::string_view name) const noexcept;
  Root::Outcome serve_missing(Request& request, std::string_view name) const noexcept;
  Root::Outcome serve_listing(Request& request, std::string_view name) const noexcept;
  void redirect_to_directory(Request& request) const noexcept;

  const Loader loader_;
  const std::uint64_t number_;  ///< Of this route, among all that were ever made.
  const Clock clock_;
};

/// "/static/" of "/static/*", with what stands before it where the route is in a group.
std::string_view prefix_of(const Request& request) noexcept {
  const serve::Route& route = *static_cast<const serve::Route*>(request.exchange().route);
  MR_ASSERT(route.pattern.ends_with("/*"));
  return std::string_view(route.pattern).substr(0, route.pattern.size() - 1);
}

// The one place that branches on what was found.
void FilesHandler::serve(Request& request) const noexcept {
  const http::Target& target = request.exchange().target;
  // An encoded slash is data, and no name of a file holds one.
  if (target.encoded_slash_count > 0) return refuse(request, 404);
  const std::string_view prefix = prefix_of(request);
  if (!target.path.starts_with(prefix)) {  // "/static" for "/static/".
    MR_ASSERT(prefix.starts_with(target.path));
    return redirect_to_directory(request);
  }
  const std::string_view name = target.path.substr(prefix.size());
  Root::Outcome outcome = serve_name(request, name);
  if (outcome == Root::Outcome::missing) outcome = serve_missing(request, name);
  switch (outcome) {
    case Root::Outcome::file: return;  // It is answered.
    case Root::Outcome::directory: return redirect_to_directory(request);
    case Root::Outcome::missing: return refuse(request, 404);
    case Root::Outcome::forbidden: return refuse(request, 403);
    case Root::Outcome::busy: return refuse_busy(request);
    case Root::Outcome::broken: return refuse(request, 500);
  }
}

// Answers where the outcome is `file`.
Root::Outcome FilesHandler::serve_name(Request& request, std::string_view name) const noexcept {
  const FilesOptions& options = loader_.options();
  Cache& cache = cache_of(number_, options.cache_bytes, options.cache_files);
  const std::int64_t now = clock_();
  const std::size_t hash = std::hash<std::string_view>()(name);
  Resource* known = cache.find(name, hash);
  if (known != nullptr && known->checked_seconds == now) {
    reply_resource(request, *known, now);
    return Root::Outcome::file;
  }
  if (known == nullptr && !servable(name, options.hidden)) return Root::Outcome::missing;

  const Loader::Loaded loaded = loader_.load(name, hash, known, now);
  // Nothing could be looked at: what was right a second ago is a better answer than none.
  const bool keep = known != nullptr && (loaded.resource == known || loaded.outcome == Root::Outcome::busy);
  if (keep) {
    known->checked_seconds = now;
    reply_resource(request, *known, now);
    return Root::Outcome::file;
  }
  if (known != nullptr) cache.erase(*known);
  if (loaded.outcome != Root::Outcome::file) return loaded.outcome;
  const bool kept = cache.insert(*loaded.resource);
  reply_resource(request, *loaded.resource, now);
  if (!kept) files::destroy(loaded.resource);
  return Root::Outcome::file;
}

// A name with a dot in its last part is a file's: a script that is gone must not come as a page.
Root::Outcome FilesHandler::serve_missing(Request& request, std::string_view name) const noexcept {
  const FilesOptions& options = loader_.options();
  if (!servable(name, options.hidden)) return Root::Outcome::missing;
  if (options.listing && (name.empty() || name.ends_with('/'))) {
    const Root::Outcome outcome = serve_listing(request, name);
    if (outcome != Root::Outcome::missing) return outcome;
  }
  const std::size_t slash = name.rfind('/');
  const std::string_view last = slash == name.npos ? name : name.substr(slash + 1);
  if (options.fallback.empty() || last.find('.') != last.npos) return Root::Outcome::missing;
  const Root::Outcome outcome = serve_name(request, options.fallback);
  return outcome == Root::Outcome::directory ? Root::Outcome::missing : outcome;
}

Root::Outcome FilesHandler::serve_listing(Request& request, std::string_view name) const noexcept {
  proto::Exchange& exchange = request.exchange();
  std::string page;
  const Root::Outcome outcome =
      write_listing(loader_.root(), exchange.target.path, name, loader_.options().hidden, page);
  if (outcome != Root::Outcome::directory) return outcome;
  exchange.sink->reply(
      exchange, {.content_type = "text/html; charset=utf-8",
                 .fields = "Cache-Control: no-cache\r\n"
                           "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n",
                 .body = page});
  return Root::Outcome::file;
}

void FilesHandler::redirect_to_directory(Request& request) const noexcept {
  proto::Exchange& exchange = request.exchange();
  const std::string_view field = write_location(exchange.target, scratch());
  if (field.empty()) return refuse_busy(request);
  exchange.sink->reply(exchange, {.status = 301, .fields = field});
}

}  // namespace

std::int64_t system_seconds() noexcept { return ::time(nullptr); }

std::string make_entry(std::string_view pattern, const std::string& directory, const FilesOptions& options,
                       detail::Entry& entry, Clock clock) {
  if (!pattern.starts_with('/') || !pattern.ends_with("/*") || pattern.find('{') != pattern.npos)
    return fmt::format("the pattern \"{}\": a route of files ends in `/*` and has no parameters", pattern);
  if (std::string problem = check_options(options); !problem.empty()) return problem;
  const Result<int> opened = Root::open_directory(directory);
  if (!opened)
    return fmt::format("the directory \"{}\": {} (paths are relative to where the server is started)",
                       directory, std::strerror(opened.error().os_errno));
  entry = {.start = FilesHandler::start,
           .destroy = FilesHandler::destroy,
           .self = new FilesHandler(opened.value(), options, clock)};
  return {};
}

}  // namespace millrace::files
