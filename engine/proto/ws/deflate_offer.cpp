#include "engine/proto/ws/deflate_offer.hpp"

#include <algorithm>
#include <charconv>

#include "engine/http/framing.hpp"
#include "engine/http/list.hpp"

namespace millrace::ws {
namespace {

constexpr std::string_view extension_name = "permessage-deflate";

std::string_view trim(std::string_view text) noexcept {
  const auto blank = [](char byte) { return byte == ' ' || byte == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Cuts off what is before the next `;`.
std::string_view take_part(std::string_view& rest) noexcept {
  const std::size_t at = rest.find(';');
  const std::string_view part = trim(rest.substr(0, at));
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return part;
}

/// 8 to 15, in decimal, without a leading zero, perhaps in quotation marks; 0 for anything else.
unsigned read_window_bits(std::string_view value) noexcept {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bits);
  const bool whole = error == std::errc{} && end == value.data() + value.size() && !value.starts_with('0');
  return whole && bits >= 8 && bits <= window_bits_max ? bits : 0;
}

/// One offer's parameters, each at most once.
struct Offer {
  unsigned server_bits = window_bits_max;
  unsigned client_bits = window_bits_max;
  bool server_no_takeover = false, client_no_takeover = false;
  bool server_bits_named = false, client_bits_named = false;

  bool read(std::string_view parameter) noexcept {
    const std::size_t equals = parameter.find('=');
    const bool has_value = equals != std::string_view::npos;
    const std::string_view name = trim(parameter.substr(0, equals));
    const std::string_view value = has_value ? trim(parameter.substr(equals + 1)) : std::string_view();
    if (http::equal_ignoring_case(name, "server_no_context_takeover")) {
      return !has_value && !std::exchange(server_no_takeover, true);
    }
    if (http::equal_ignoring_case(name, "client_no_context_takeover")) {
      return !has_value && !std::exchange(client_no_takeover, true);
    }
    if (http::equal_ignoring_case(name, "server_max_window_bits")) {
      server_bits = read_window_bits(value);
      return server_bits >= window_bits_min && !std::exchange(server_bits_named, true);
    }
    if (http::equal_ignoring_case(name, "client_max_window_bits")) {
      if (has_value) client_bits = read_window_bits(value);
      return client_bits != 0 && !std::exchange(client_bits_named, true);
    }
    return false;
  }
};

std::optional<DeflateTerms> judge(std::string_view element, const DeflateWish& wish) noexcept {
  std::string_view rest = element;
  if (!http::equal_ignoring_case(take_part(rest), extension_name)) return std::nullopt;
  Offer offer;
  while (!rest.empty()) {
    if (!offer.read(take_part(rest))) return std::nullopt;
  }
  DeflateTerms terms;
  terms.server_window_bits =
      static_cast<std::uint8_t>(std::min<unsigned>(offer.server_bits, wish.window_bits));
  terms.server_takeover = wish.takeover && !offer.server_no_takeover;
  terms.client_takeover = wish.takeover && !offer.client_no_takeover;
  // A client that does not name it cannot be asked for a smaller window (section 7.1.2.2).
  terms.client_window_told = offer.client_bits_named && wish.window_bits < offer.client_bits;
  const unsigned client_bits =
      offer.client_bits_named ? std::min<unsigned>(offer.client_bits, wish.window_bits) : window_bits_max;
  terms.client_window_bits = static_cast<std::uint8_t>(std::max(client_bits, window_bits_min));
  return terms;
}

}  // namespace

std::optional<DeflateTerms> choose_deflate(const http::Head& head, const DeflateWish& wish) noexcept {
  for (std::size_t i = 0; i < head.field_count; ++i) {
    const http::Field& field = head.fields[i];
    if (!http::equal_ignoring_case(head.name(field), "sec-websocket-extensions")) continue;
    http::ListReader offers(head.value(field));
    for (std::string_view element; offers.next(element);) {
      if (const std::optional<DeflateTerms> terms = judge(element, wish)) return terms;
    }
  }
  return std::nullopt;
}

std::string_view write_terms(char* to, const DeflateTerms& terms) noexcept {
  char* at = to;
  const auto put = [&at](std::string_view text) { at += text.copy(at, text.size()); };
  const auto put_bits = [&](std::string_view name, unsigned bits) {
    put(name);
    at = std::to_chars(at, at + 2, bits).ptr;
  };
  put(extension_name);
  if (!terms.server_takeover) put("; server_no_context_takeover");
  if (!terms.client_takeover) put("; client_no_context_takeover");
  if (terms.server_window_bits != window_bits_max)
    put_bits("; server_max_window_bits=", terms.server_window_bits);
  if (terms.client_window_told) put_bits("; client_max_window_bits=", terms.client_window_bits);
  return {to, static_cast<std::size_t>(at - to)};
}

}  // namespace millrace::ws
