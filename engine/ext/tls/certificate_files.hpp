// certificate_files.hpp: PEM files into an SSL_CTX, with sentences for whoever wrote the configuration.
#pragma once

#include <millrace/server.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "engine/ext/tls/openssl.hpp"

namespace millrace::tls {

/// Reads the chain and the key of `from` into `to`, which was made with `library`. Sentences that name the file and the mend; false
/// where `problems` got one.
bool use_certificate(SSL_CTX* to, OSSL_LIB_CTX* library, const TlsCertificate& from,
                     std::vector<std::string>& problems, std::vector<std::string>& warnings);

/// The DNS names that the certificate in `context` is for, in lower case.
std::vector<std::string> names_of(SSL_CTX* context);

/// Trusts the authorities in `file` for client certificates, and names them to clients.
bool use_client_authorities(SSL_CTX* to, const std::string& file, std::vector<std::string>& problems);

std::string lower_case(std::string_view text);

}  // namespace millrace::tls
