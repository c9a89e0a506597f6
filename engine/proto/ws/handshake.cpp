#include "engine/proto/ws/handshake.hpp"

#include <algorithm>
#include <cstring>

#include "engine/http/list.hpp"
#include "engine/proto/ws/sha1.hpp"

namespace millrace::ws {
namespace {

constexpr std::string_view key_suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t key_bytes = 24;
constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Calls visit(value) for each field of that name; visit gives true to go on.
template <class Visit>
void each_field(const http::Head& head, std::string_view name, const Visit& visit) noexcept {
  for (std::size_t i = 0; i < head.field_count; ++i) {
    const http::Field& field = head.fields[i];
    if (http::equal_ignoring_case(head.name(field), name) && !visit(head.value(field))) return;
  }
}

/// The value of a field that must be there once; empty where it is not.
std::string_view only_field(const http::Head& head, std::string_view name) noexcept {
  std::string_view value;
  unsigned count = 0;
  each_field(head, name, [&](std::string_view found) {
    value = found;
    return ++count == 1;
  });
  return count == 1 ? value : std::string_view();
}

bool offers_websocket(const http::Head& head) noexcept {
  bool found = false;
  each_field(head, "upgrade", [&](std::string_view list) {
    found = http::list_has(list, "websocket");
    return !found;
  });
  return found;
}

/// 16 bytes in base64 (RFC 4648 section 4): 22 digits, the last with four bits that are zero, and "==".
bool is_key(std::string_view key) noexcept {
  if (key.size() != key_bytes || !key.ends_with("==")) return false;
  const std::string_view digits = key.substr(0, key_bytes - 2);
  return digits.find_first_not_of(base64_digits) == std::string_view::npos &&
         base64_digits.find(digits.back()) % 16 == 0;
}

}  // namespace

HandshakeFault judge_handshake(const http::Head& head, const http::Framing& framing,
                               std::string_view& key) noexcept {
  if (head.method != http::Method::get || !framing.upgrade || !offers_websocket(head)) {
    return HandshakeFault::no_upgrade;
  }
  if (only_field(head, "sec-websocket-version") != "13") return HandshakeFault::bad_version;
  key = only_field(head, "sec-websocket-key");
  return is_key(key) ? HandshakeFault::none : HandshakeFault::bad_key;
}

std::array<char, 28> accept_key(std::string_view key) noexcept {
  std::array<char, key_bytes + key_suffix.size()> text;
  key.copy(text.data(), key_bytes);
  key_suffix.copy(text.data() + key_bytes, key_suffix.size());
  const std::array<std::uint8_t, 20> digest = sha1({text.data(), text.size()});
  std::array<char, 28> out;
  std::size_t to = 0;
  for (std::size_t at = 0; at < digest.size(); at += 3) {  // 20 bytes: the last group has two.
    const unsigned third = at + 2 < digest.size() ? digest[at + 2] : 0;
    const unsigned group = unsigned{digest[at]} << 16 | unsigned{digest[at + 1]} << 8 | third;
    for (unsigned shift = 24; shift != 0;) out[to++] = base64_digits[group >> (shift -= 6) & 63];
  }
  out.back() = '=';
  return out;
}

const std::string* choose_subprotocol(const http::Head& head, std::span<const std::string> served) noexcept {
  for (const std::string& wanted : served) {
    bool offered = false;
    each_field(head, "sec-websocket-protocol", [&](std::string_view list) {
      http::ListReader reader(list);
      for (std::string_view element; !offered && reader.next(element);) offered = element == wanted;
      return !offered;
    });
    if (offered) return &wanted;
  }
  return nullptr;
}

bool origin_allowed(const http::Head& head, std::string_view host,
                    std::span<const std::string> allowed) noexcept {
  std::string_view origin;
  unsigned count = 0;
  each_field(head, "origin", [&](std::string_view value) {
    origin = value;
    return ++count == 1;
  });
  if (count != 1) return count == 0;
  if (!allowed.empty()) {
    return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& one) {
      return one == "*" || http::equal_ignoring_case(one, origin);
    });
  }
  const std::size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && http::equal_ignoring_case(origin.substr(scheme + 3), host);
}

}  // namespace millrace::ws
