// file_around.cpp: the tables of what stands around routes: [compress], [cors], [security_headers], [auth], the keys
// of the same names in a [[route]], and hsts of [tls].
#include <algorithm>
#include <chrono>
#include <optional>
#include <variant>

#include <fmt/format.h>

#include "engine/config/toml.hpp"
#include "engine/config/value.hpp"

namespace millrace::config {
namespace {

struct Bytes {
  std::uint64_t* to;
};

/// A key of a table, and where its value goes.
struct Slot {
  std::string_view key;
  std::variant<std::string*, std::vector<std::string>*, bool*, std::chrono::seconds*, Bytes> to;
};

bool take(const toml::node& node, std::string& to) {
  const auto* text = node.as_string();
  if (text == nullptr || text->get().find_first_of("\r\n") != std::string::npos) return false;
  to = text->get();
  return true;
}

bool take(const toml::node& node, std::vector<std::string>& to) {
  const toml::array* list = node.as_array();
  to.clear();
  if (list == nullptr || list->empty()) return false;
  return std::all_of(list->begin(), list->end(), [&to](const toml::node& one) {
    return take(one, to.emplace_back()) && !to.back().empty();
  });
}

bool take(const toml::node& node, bool& to) {
  const auto* flag = node.as_boolean();
  if (flag != nullptr) to = flag->get();
  return flag != nullptr;
}

bool take(const toml::node& node, std::chrono::seconds& to) {
  const auto* text = node.as_string();
  const std::optional<std::uint64_t> ms = text != nullptr ? read_duration_ms(text->get()) : std::nullopt;
  if (ms) to = std::chrono::seconds(*ms / 1000);
  return ms && *ms <= 31ull * 86'400'000;
}

bool take(const toml::node& node, Bytes& to) {
  std::optional<std::uint64_t> bytes;
  if (const auto* whole = node.as_integer(); whole != nullptr && whole->get() >= 0)
    bytes = static_cast<std::uint64_t>(whole->get());
  if (const auto* text = node.as_string()) bytes = read_size(text->get());
  if (bytes) *to.to = *bytes;
  return bytes && *bytes <= 1ull << 40;
}

const char* expected(const Slot& slot) {
  struct Names {
    const char* operator()(const std::string*) { return "a text of one line"; }
    const char* operator()(const std::vector<std::string>*) { return "a list of texts"; }
    const char* operator()(const bool*) { return "true or false"; }
    const char* operator()(const std::chrono::seconds*) { return "a duration up to 31d, such as \"10m\""; }
    const char* operator()(const Bytes&) { return "a size from 0 to 1t bytes, such as 1024 or \"1k\""; }
  };
  return std::visit(Names(), slot.to);
}

struct Taker {
  const toml::node& node;
  bool operator()(Bytes to) { return take(node, to); }
  template <class T>
  bool operator()(T* to) {
    return take(node, *to);
  }
};

void read_table(const toml::node& node, std::string_view context, std::span<const Slot> slots,
                FileProblems& problems) {
  std::vector<std::string_view> known;
  for (const Slot& slot : slots) known.push_back(slot.key);
  const toml::table* table = node.as_table();
  if (table == nullptr)
    return problems.add(
        node, fmt::format("{} = {}: expected a table with `{}`", context, show(node), known.front()));
  for (const auto& [key, value] : *table) {
    const auto slot =
        std::find_if(slots.begin(), slots.end(), [&key](const Slot& one) { return one.key == key.str(); });
    if (slot == slots.end())
      unknown_key(key, context, known, problems);
    else if (!std::visit(Taker{value}, slot->to))
      problems.add(key,
                   fmt::format("{} {} = {}: expected {}", context, key.str(), show(value), expected(*slot)));
  }
}

/// "type/subtype", or "type/*".
bool is_media_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  const bool plain = text.find_first_of(" ;,\t") == std::string_view::npos;
  return plain && slash != std::string_view::npos && slash != 0 && slash + 1 < text.size();
}

}  // namespace

void read_compress(const toml::node& node, std::string_view context, std::optional<CompressOptions>& out,
                   FileProblems& problems) {
  CompressOptions& options = out.emplace();
  if (const auto* flag = node.as_boolean(); flag != nullptr && flag->get()) return;
  const Slot slots[] = {
      {"min", Bytes{&options.bytes_min}}, {"max", Bytes{&options.bytes_max}}, {"types", &options.types}};
  read_table(node, context, slots, problems);
  for (const std::string& type : options.types) {
    if (!is_media_type(type))
      problems.add(node,
                   fmt::format("{} types: {}: expected a media type such as \"text/html\" or \"text/*\"",
                               context, quoted(type)));
  }
}

void read_cors(const toml::node& node, std::string_view context, std::optional<CorsOptions>& out,
               FileProblems& problems) {
  CorsOptions& options = out.emplace();
  options.origins.clear();
  const Slot slots[] = {{"origins", &options.origins},         {"methods", &options.methods},
                        {"headers", &options.headers},         {"expose", &options.expose},
                        {"credentials", &options.credentials}, {"max_age", &options.max_age}};
  const std::size_t found = problems.count();
  read_table(node, context, slots, problems);
  if (problems.count() != found) return;
  if (options.origins.empty())
    return problems.add(
        node,
        fmt::format("{} needs `origins`: a list such as [\"https://example.org\"], or [\"*\"]", context));
  for (const std::string& origin : options.origins) {
    const std::size_t host = origin.find("://");
    const bool good = host != std::string::npos && origin.find('/', host + 3) == std::string::npos;
    if (origin != "*" && !good)
      problems.add(node, fmt::format("{} origins: {}: expected an origin as browsers send it, such as "
                                     "\"https://example.org\", or \"*\"",
                                     context, quoted(origin)));
    if (origin == "*" && options.credentials)
      problems.add(
          node,
          fmt::format("{} credentials: not with the origin \"*\": name those that may send them", context));
  }
}

void read_security_headers(const toml::node& node, std::optional<SecurityHeaders>& out,
                           FileProblems& problems) {
  SecurityHeaders& fields = out.emplace();
  const Slot slots[] = {{"content_type_options", &fields.content_type_options},
                        {"frame_options", &fields.frame_options},
                        {"referrer_policy", &fields.referrer_policy},
                        {"cross_origin_opener_policy", &fields.cross_origin_opener_policy},
                        {"content_security_policy", &fields.content_security_policy},
                        {"permissions_policy", &fields.permissions_policy}};
  read_table(node, "[security_headers]", slots, problems);
}

void read_auth(const toml::node& node, std::string_view context, std::optional<AuthConfig>& out,
               FileProblems& problems) {
  AuthConfig& auth = out.emplace();
  const Slot slots[] = {{"users", &auth.users}, {"tokens", &auth.tokens}, {"realm", &auth.realm}};
  const std::size_t found = problems.count();
  read_table(node, context, slots, problems);
  if (problems.count() != found) return;
  if (auth.users.empty() == auth.tokens.empty())
    problems.add(node, fmt::format("{} needs one of `users` and `tokens`: the path of a file", context));
  const bool odd = std::any_of(auth.realm.begin(), auth.realm.end(),
                               [](char c) { return c < ' ' || c > '~' || c == '"' || c == '\\'; });
  if (odd)
    problems.add(node, fmt::format("{} realm = {}: expected printable ASCII without quotes and backslashes",
                                   context, quoted(auth.realm)));
}

void read_hsts(const toml::key& key, const toml::node& node, std::uint64_t& out, FileProblems& problems) {
  constexpr std::uint64_t two_years_ms = 731ull * 86'400'000;
  const auto* text = node.as_string();
  const std::optional<std::uint64_t> ms = text != nullptr ? read_duration_ms(text->get()) : std::nullopt;
  if (ms && *ms <= two_years_ms)
    out = *ms;
  else
    problems.add(key, fmt::format("[tls] hsts = {}: expected a duration from 0s to 731d, such as \"365d\"",
                                  show(node)));
}

}  // namespace millrace::config
