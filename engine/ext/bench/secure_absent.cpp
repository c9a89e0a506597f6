// secure_absent.cpp: a build without OpenSSL: no context is ever made, so no stream is.
#include "engine/base/assert.hpp"
#include "engine/ext/bench/secure.hpp"

namespace millrace::bench {

std::unique_ptr<SecureContext> SecureContext::make(const TlsPlan&, std::string& problem) {
  problem = "this build has no TLS: use http:// or ws://";
  return nullptr;
}
SecureContext::~SecureContext() = default;
SecureStream::~SecureStream() = default;
bool SecureStream::start() noexcept { MR_UNREACHABLE("there is no context"); }
void SecureStream::write(std::string_view) noexcept { MR_UNREACHABLE("there is no context"); }
void SecureStream::feed(std::string_view) noexcept { MR_UNREACHABLE("there is no context"); }
std::size_t SecureStream::read(std::span<char>) noexcept { MR_UNREACHABLE("there is no context"); }
void SecureStream::take_records(std::string&) { MR_UNREACHABLE("there is no context"); }

}  // namespace millrace::bench
