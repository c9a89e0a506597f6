// strict.hpp: what the two halves of the strict path share. Nobody else includes this.
#pragma once

#include "engine/http/head.hpp"

namespace millrace::http {

/// Longest method that is answered as unknown; a longer one gives 501 before its end has come.
inline constexpr std::size_t method_bytes_max = 64;

/// Runs llhttp over a head that the grammar accepted. True where llhttp accepts it too, with the same
/// spans. What llhttp refuses for its framing (Content-Length, Transfer-Encoding) counts as accepted:
/// read_framing() judges that, more strictly.
bool llhttp_agrees(const Head& head) noexcept;

}  // namespace millrace::http
