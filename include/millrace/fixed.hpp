// fixed.hpp: a reply serialised once, at start; only its date changes.
//
//   app.get("/health", mr::fixed("ok"));
#pragma once

#include <millrace/namespace.hpp>
#include <millrace/response.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace millrace {

namespace detail {
struct FixedBytes;
}

/// Stands where a handler does; a handler may also return one, best by reference to one that was made
/// before, because copies share the bytes among cores by counting.
class Fixed {
 public:
  /// An invalid response becomes a 500.
  explicit Fixed(Response response);
  const detail::FixedBytes& bytes() const noexcept { return *bytes_; }

 private:
  std::shared_ptr<const detail::FixedBytes> bytes_;
};

inline Fixed fixed(Response response) { return Fixed(std::move(response)); }
inline Fixed fixed(std::string text) { return Fixed(Response(std::move(text))); }
inline Fixed fixed(const char* text) { return Fixed(Response(text)); }
inline Fixed fixed(std::string body, std::string_view content_type) {
  return Fixed(Response().bytes(std::move(body), content_type));
}

}  // namespace millrace
