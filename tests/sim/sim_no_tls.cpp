// sim_no_tls.cpp: worlds of a build without OpenSSL.
#include "tests/sim/sim_tls.hpp"

namespace millrace::test {

std::unique_ptr<SimTls> SimTls::make(std::uint64_t) { return nullptr; }

}  // namespace millrace::test
