// request_id.hpp: the name of a request: kept, or made.
#pragma once

#include <millrace/request.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace millrace::serve {

class RequestId {
 public:
  /// A view of the request, or of this. Asked again it is the same.
  std::string_view text(const Request& request) noexcept;

 private:
  static constexpr std::size_t made_bytes = 32;
  void make() noexcept;

  bool made_ = false;
  std::array<char, made_bytes> bytes_;  // Not set before make().
};

/// True for what may be kept of a client's: 1 to 128 characters that need no quotes in any log.
bool valid_request_id(std::string_view text) noexcept;

}  // namespace millrace::serve
