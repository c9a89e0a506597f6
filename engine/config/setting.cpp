#include "engine/config/setting.hpp"

#include <algorithm>
#include <bit>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/base/assert.hpp"
#include "engine/config/value.hpp"
#include "engine/net/listen_socket.hpp"

namespace millrace::config {
namespace {

using Shape = Value::Shape;

std::string expected(const Setting& setting) {
  switch (setting.kind) {
    case Kind::count: return fmt::format("expected a whole number from {} to {}", setting.min, setting.max);
    case Kind::power_of_two:
      return fmt::format("expected a power of two from {} to {}", setting.min, setting.max);
    case Kind::size:
      return fmt::format("expected a size from {} to {} bytes, such as 16384 or \"16k\"",
                         show_size(setting.min), show_size(setting.max));
    case Kind::duration:
      return fmt::format("expected a duration from {} to {}, such as \"500ms\", \"10s\" or \"2m\"",
                         show_duration(setting.min), show_duration(setting.max));
    case Kind::cores:
      return fmt::format("expected \"auto\" or a whole number from {} to {}", setting.min, setting.max);
    case Kind::backend: return "expected \"auto\", \"uring\" or \"epoll\"";
    case Kind::flag: return "expected true or false";
    case Kind::addresses:
      return "expected addresses such as \"127.0.0.1:8080\", \"[::1]:8080\" or \"unix:/run/millrace.sock\"";
    case Kind::path: return "expected the path of a file";
    case Kind::client_auth: return "expected \"off\", \"optional\" or \"required\"";
    case Kind::tls_version: return "expected \"1.2\" or \"1.3\"";
  }
  MR_UNREACHABLE("a Kind outside the enumeration");
}

std::optional<std::uint64_t> whole_number(const Value& value) {
  if (value.shape == Shape::plain) return read_count(value.text);
  if (value.shape != Shape::integer || value.integer < 0) return std::nullopt;
  return static_cast<std::uint64_t>(value.integer);
}

/// The number of a numeric kind, in its unit; nothing where the writing or the shape is wrong.
std::optional<std::uint64_t> number_of(Kind kind, const Value& value) {
  const bool written = value.shape == Shape::text || value.shape == Shape::plain;
  if (kind == Kind::duration) return written ? read_duration_ms(value.text) : std::nullopt;
  if (kind == Kind::size && written) return read_size(value.text);
  return whole_number(value);
}

/// "auto" is 0: the server counts the CPUs itself.
bool is_auto(const Setting& setting, const Value& value) {
  return setting.kind == Kind::cores && value.text == "auto" &&
         (value.shape == Shape::text || value.shape == Shape::plain);
}

std::string assign_number(const Setting& setting, const Value& value, ServerOptions& options) {
  std::uint64_t number = 0;
  if (!is_auto(setting, value)) {
    const auto given = number_of(setting.kind, value);
    const bool odd = setting.kind == Kind::power_of_two && given && !std::has_single_bit(*given);
    if (!given || odd || *given < setting.min || *given > setting.max) return expected(setting);
    number = *given;
  }
  if (auto* small = std::get_if<std::uint32_t ServerOptions::*>(&setting.member))
    options.** small = static_cast<std::uint32_t>(number);
  else if (auto* large = std::get_if<std::uint64_t ServerOptions::*>(&setting.member))
    options.** large = number;
  return {};
}

std::string assign_flag(const Setting& setting, const Value& value, ServerOptions& options) {
  const bool plain = value.shape == Shape::plain && (value.text == "true" || value.text == "false");
  if (!plain && value.shape != Shape::boolean) return expected(setting);
  const bool on = plain ? value.text == "true" : value.integer != 0;
  if (auto* member = std::get_if<bool ServerOptions::*>(&setting.member)) options.** member = on;
  return {};
}

std::string assign_backend(const Setting& setting, const Value& value, ServerOptions& options) {
  const bool written = value.shape == Shape::text || value.shape == Shape::plain;
  if (!written || (value.text != "auto" && value.text != "uring" && value.text != "epoll"))
    return expected(setting);
  if (auto* member = std::get_if<std::string ServerOptions::*>(&setting.member))
    options.** member = value.text;
  return {};
}

std::string assign_text(const Setting& setting, const Value& value, ServerOptions& options) {
  const std::string& text = value.text;
  bool good = value.shape == Shape::text || value.shape == Shape::plain;
  if (setting.kind == Kind::client_auth)
    good = good && (text == "off" || text == "optional" || text == "required");
  if (setting.kind == Kind::tls_version) good = good && (text == "1.2" || text == "1.3");
  if (!good) return expected(setting);
  if (auto* member = std::get_if<std::string ServerOptions::*>(&setting.member)) options.** member = text;
  return {};
}

/// One address, several in a list, or several with commas in the environment.
std::vector<std::string> addresses_of(const Value& value) {
  if (value.shape == Shape::list) return value.list;
  std::vector<std::string> found;
  if (value.shape == Shape::text) found.push_back(value.text);
  if (value.shape != Shape::plain) return found;
  std::string_view rest = value.text;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    found.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return found;
}

std::string assign_addresses(const Setting& setting, const Value& value, ServerOptions& options) {
  std::vector<std::string> addresses = addresses_of(value);
  if (addresses.empty() && value.shape != Shape::list) return expected(setting);
  std::vector<std::string> known;
  for (const std::string& text : addresses) {
    net::ListenAddress address;
    std::string fault = net::read_listen_address(text, address);
    if (!fault.empty()) return fault;
    const bool any_port = !address.is_unix() && address.port() == 0;
    if (!any_port && std::find(known.begin(), known.end(), address.text()) != known.end())
      return fmt::format("the address {} is given twice", address.text());
    known.push_back(address.text());
  }
  if (auto* member = std::get_if<std::vector<std::string> ServerOptions::*>(&setting.member))
    options.** member = std::move(addresses);
  return {};
}

std::string show_number(const Setting& setting, std::uint64_t number) {
  switch (setting.kind) {
    case Kind::size: return fmt::format("\"{}\"", show_size(number));
    case Kind::duration: return fmt::format("\"{}\"", show_duration(number));
    case Kind::cores: return number == 0 ? "\"auto\"" : fmt::format("{}", number);
    case Kind::count:
    case Kind::power_of_two:
    case Kind::backend:
    case Kind::flag:
    case Kind::addresses:
    case Kind::path:
    case Kind::client_auth:
    case Kind::tls_version: return fmt::format("{}", number);
  }
  MR_UNREACHABLE("a Kind outside the enumeration");
}

}  // namespace

std::size_t index_of(std::string_view section, std::string_view key) {
  std::size_t index = 0;
  while (index < settings_count && (settings[index].section != section || settings[index].key != key))
    ++index;
  return index;
}

std::vector<std::string_view> section_names() {
  std::vector<std::string_view> names;
  for (const Setting& setting : settings) {
    if (names.empty() || names.back() != setting.section) names.push_back(setting.section);
  }
  return names;
}

std::vector<std::string_view> keys_of(std::string_view section) {
  std::vector<std::string_view> keys;
  for (const Setting& setting : settings) {
    if (setting.section == section) keys.push_back(setting.key);
  }
  return keys;
}

std::string assign(const Setting& setting, const Value& value, ServerOptions& options) {
  switch (setting.kind) {
    case Kind::count:
    case Kind::power_of_two:
    case Kind::size:
    case Kind::duration:
    case Kind::cores: return assign_number(setting, value, options);
    case Kind::backend: return assign_backend(setting, value, options);
    case Kind::flag: return assign_flag(setting, value, options);
    case Kind::addresses: return assign_addresses(setting, value, options);
    case Kind::path:
    case Kind::client_auth:
    case Kind::tls_version: return assign_text(setting, value, options);
  }
  MR_UNREACHABLE("a Kind outside the enumeration");
}

std::string show(const Setting& setting, const ServerOptions& options) {
  struct Visitor {
    const Setting& setting;
    const ServerOptions& options;
    std::string operator()(std::uint32_t ServerOptions::*member) {
      return show_number(setting, options.*member);
    }
    std::string operator()(std::uint64_t ServerOptions::*member) {
      return show_number(setting, options.*member);
    }
    std::string operator()(bool ServerOptions::*member) { return options.*member ? "true" : "false"; }
    std::string operator()(std::string ServerOptions::*member) {
      return fmt::format("\"{}\"", options.*member);
    }
    std::string operator()(std::vector<std::string> ServerOptions::*member) {
      if ((options.*member).empty()) return "[]";
      return fmt::format("[\"{}\"]", fmt::join(options.*member, "\", \""));
    }
  };
  return std::visit(Visitor{setting, options}, setting.member);
}

}  // namespace millrace::config
