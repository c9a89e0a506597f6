// record_sealer.hpp: TLS records as a kernel makes them, by OpenSSL's ciphers: for the simulated network.
// Source: RFC 8446 section 5.2, RFC 5288 section 3, RFC 7905 section 2.
#pragma once

#include <memory>
#include <span>

#include "engine/io/sim/network.hpp"

namespace millrace::test {

/// keys  a structure of linux/tls.h, of AES-GCM or ChaCha20-Poly1305. Null where it is none of them.
std::unique_ptr<io::sim::Sealer> make_record_sealer(std::span<const char> keys);

}  // namespace millrace::test
