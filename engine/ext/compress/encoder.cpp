#include "engine/ext/compress/encoder.hpp"

#include <array>

#include "engine/ext/compress/codings.hpp"

namespace millrace::coding {
namespace {

using Make = std::unique_ptr<Encoder> (*)(const Levels& levels);

/// By Coding; null for what was not built in.
constexpr auto makers = [] {
  std::array<Make, http::coding_count> table{};
  [[maybe_unused]] const auto set = [&table](http::Coding coding, Make make) {
    table[static_cast<std::size_t>(coding)] = make;
  };
#ifdef MR_GZIP
  set(http::Coding::gzip, make_gzip);
#endif
#ifdef MR_BROTLI
  set(http::Coding::br, make_brotli);
#endif
#ifdef MR_ZSTD
  set(http::Coding::zstd, make_zstd);
#endif
  return table;
}();

}  // namespace

std::unique_ptr<Encoder> make_encoder(http::Coding coding, const Levels& levels) {
  const Make make = makers[static_cast<std::size_t>(coding)];
  return make != nullptr ? make(levels) : nullptr;
}

bool is_built_in(http::Coding coding) noexcept { return makers[static_cast<std::size_t>(coding)] != nullptr; }

}  // namespace millrace::coding
