#include "engine/serve/request_id.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cstdint>

namespace millrace::serve {
namespace {

constexpr std::size_t kept_bytes_max = 128;

struct Seeds {
  std::uint64_t own = 0;    // Of this thread,
  std::uint64_t count = 0;  // and of the next request.

  Seeds() noexcept {
    if (::getrandom(this, sizeof *this, 0) == sizeof *this) return;
    own = reinterpret_cast<std::uintptr_t>(this);  // Names need not be secret, only apart.
  }
};

/// One to one, so that no two numbers have the same: the finalizer of splitmix64.
std::uint64_t mix(std::uint64_t value) noexcept {
  value = (value ^ (value >> 30)) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ (value >> 27)) * 0x94d0'49bb'1331'11eb;
  return value ^ (value >> 31);
}

void put_hex(char* to, std::uint64_t value) noexcept {
  for (int shift = 60; shift >= 0; shift -= 4) *to++ = "0123456789abcdef"[value >> shift & 15];
}

}  // namespace

bool valid_request_id(std::string_view text) noexcept {
  const auto valid = [](char byte) {
    const bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
    return letter || (byte >= '0' && byte <= '9') ||
           std::string_view("-._~+/=:@").find(byte) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= kept_bytes_max && std::all_of(text.begin(), text.end(), valid);
}

std::string_view RequestId::text(const Request& request) noexcept {
  if (!made_) {
    const std::optional<std::string_view> sent = request.header("x-request-id");
    if (sent && valid_request_id(*sent)) return *sent;
    make();
  }
  return {bytes_.data(), bytes_.size()};
}

void RequestId::make() noexcept {
  thread_local Seeds seeds;
  put_hex(bytes_.data(), seeds.own);
  put_hex(bytes_.data() + made_bytes / 2, mix(seeds.count++));
  made_ = true;
}

}  // namespace millrace::serve
