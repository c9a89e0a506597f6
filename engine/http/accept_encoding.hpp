// accept_encoding.hpp: which content codings a client takes. Source: RFC 9110 sections 12.4.2, 12.5.3.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millrace::http {

enum class Coding : std::uint8_t { identity, gzip, zstd, br };
inline constexpr std::size_t coding_count = 4;

/// "gzip" and the like, as in Content-Encoding; "identity" for none.
std::string_view name_of(Coding coding) noexcept;

/// Collects the Accept-Encoding fields of one request. Without any, only identity is accepted: a client
/// that says nothing may be one that can decode nothing.
class AcceptedCodings {
 public:
  /// Reads one field; several of a request add up. A malformed element is left out.
  void add(std::string_view field) noexcept;

  /// 0 (not acceptable) to 1000. identity is 1 where nothing is said of it: acceptable, but everything
  /// that was asked for is better.
  std::uint16_t quality(Coding coding) const noexcept;

 private:
  static constexpr std::int16_t unsaid = -1;
  std::array<std::int16_t, coding_count> said_ = {unsaid, unsaid, unsaid, unsaid};
  std::int16_t others_ = unsaid;  ///< Of "*".
};

}  // namespace millrace::http
