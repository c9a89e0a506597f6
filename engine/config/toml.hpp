// toml.hpp: the only place that includes toml++, without exceptions; file.cpp holds its implementation.
// Also what the readers of the file share.
#pragma once

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 0
#define TOML_ENABLE_FORMATTERS 0
#ifdef MR_TOML_IMPLEMENTATION
#define TOML_IMPLEMENTATION
#endif
// The parser asserts what it then checks: that a key begins as one. In debug builds a bad file would abort,
// and clang would assume the check away in release. Neither may be: a bad file has a message.
#define TOML_ASSERT(expr) static_cast<void>(0)
#pragma push_macro("NDEBUG")
#undef NDEBUG
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/config/config.hpp"

namespace millrace::config {

/// Problems of one file, gathered in the order of discovery and told in the order of the lines.
class FileProblems {
 public:
  void add(std::uint32_t line, std::string text) { found_.emplace_back(line, std::move(text)); }
  void add(const toml::node& at, std::string text) { add(at.source().begin.line, std::move(text)); }
  void add(const toml::key& at, std::string text) { add(at.source().begin.line, std::move(text)); }
  std::size_t count() const { return found_.size(); }
  void tell(std::string_view file, Report& report);

 private:
  std::vector<std::pair<std::uint32_t, std::string>> found_;
};

/// How a node is shown in a message: `"text"`, `12`, `a table`.
std::string show(const toml::node& node);

/// `context` says where: "[limits]". Names the nearest of `known`, or says that a later version has it.
void unknown_key(const toml::key& key, std::string_view context, std::span<const std::string_view> known,
                 FileProblems& problems);

/// `certificates` of [tls]: tables of cert, key and hosts.
void read_certificates(const toml::node& node, Config& config, FileProblems& problems);

// file_middleware.cpp. `context` says where: "respond headers".
void read_headers(const toml::node& node, std::string_view context, FieldList& out, FileProblems& problems);
void read_rate_limit(const toml::node& node, std::string_view context, RateConfig& out,
                     FileProblems& problems);
void read_access_log(const toml::node& node, LogConfig& out, FileProblems& problems);
void read_hosts(const toml::key& key, const toml::node& node, std::vector<std::string>& out,
                FileProblems& problems);
void read_body_limit(const toml::key& key, const toml::node& node, std::uint64_t& out,
                     FileProblems& problems);

// file_around.cpp. `context` says where: "[compress]", or "compress" of a route.
void read_compress(const toml::node& node, std::string_view context, std::optional<CompressOptions>& out,
                   FileProblems& problems);
void read_cors(const toml::node& node, std::string_view context, std::optional<CorsOptions>& out,
               FileProblems& problems);
void read_security_headers(const toml::node& node, std::optional<SecurityHeaders>& out,
                           FileProblems& problems);
void read_auth(const toml::node& node, std::string_view context, std::optional<AuthConfig>& out,
               FileProblems& problems);
void read_hsts(const toml::key& key, const toml::node& node, std::uint64_t& out, FileProblems& problems);

/// The keys of a [[route]] that are options of `files`, and the reader of one of them.
std::span<const std::string_view> files_option_keys();
void read_files_option(const toml::key& key, const toml::node& node, FilesOptions& options,
                       FileProblems& problems);

/// Every [[route]], in order.
void read_routes(const toml::node& node, Config& config, FileProblems& problems);

}  // namespace millrace::config
