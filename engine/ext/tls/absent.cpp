// absent.cpp: a build without OpenSSL (-Dtls=disabled, or none found): the server says so where it is asked for.
#include "engine/serve/secure.hpp"

namespace millrace::serve {

std::unique_ptr<Secure> make_secure() { return nullptr; }
std::string secure_version() { return {}; }

}  // namespace millrace::serve
