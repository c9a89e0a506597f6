#include "engine/http/head.hpp"

#include <array>

namespace millrace::http {

namespace {
constexpr std::array<std::string_view, method_count> names = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "",
};
}  // namespace

std::string_view name_of(Method method) noexcept { return names[static_cast<unsigned>(method)]; }

Method method_from(std::string_view name) noexcept {
  for (unsigned i = 0; i < static_cast<unsigned>(Method::other); ++i) {
    if (names[i] == name) return static_cast<Method>(i);
  }
  return Method::other;
}

bool same_head(const Head& a, const Head& b) noexcept {
  if (a.base != b.base || a.size != b.size || a.method != b.method || a.method_size != b.method_size ||
      a.target_at != b.target_at || a.target_size != b.target_size || a.plain_size != b.plain_size ||
      a.version_minor != b.version_minor || a.field_count != b.field_count) {
    return false;
  }
  for (unsigned i = 0; i < a.field_count; ++i) {
    if (a.fields[i] != b.fields[i]) return false;
  }
  return true;
}

}  // namespace millrace::http
