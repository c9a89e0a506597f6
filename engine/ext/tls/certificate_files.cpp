#include "engine/ext/tls/certificate_files.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

namespace millrace::tls {
namespace {

/// Empty, or why the file cannot be read, with the mend.
std::string unreadable(std::string_view setting, const std::string& path) {
  if (path.empty()) return fmt::format("[tls] {} is missing: give the path of a PEM file", setting);
  std::FILE* file = std::fopen(path.c_str(), "rb");
  char byte = 0;
  const bool readable = file != nullptr && std::fread(&byte, 1, 1, file) == 1;
  const int cause = file == nullptr || std::ferror(file) != 0 ? errno : 0;
  if (file != nullptr) std::fclose(file);
  if (readable) return {};
  const char* mend = cause == EACCES   ? "let the user that the server runs as read it"
                     : cause == ENOENT ? "check the path; a relative one starts where the server was started"
                                       : "give the path of a PEM file";
  return fmt::format("[tls] {} = \"{}\": cannot be read ({}): {}", setting, path,
                     cause != 0 ? std::strerror(cause) : "it is empty", mend);
}

/// A passphrase would have to be typed by somebody: a server that starts by itself has nobody.
int no_passphrase(char*, int, int, void*) { return -1; }

bool use_chain(SSL_CTX* to, const std::string& path, std::vector<std::string>& problems) {
  if (std::string fault = unreadable("cert", path); !fault.empty()) {
    problems.push_back(std::move(fault));
    return false;
  }
  if (SSL_CTX_use_certificate_chain_file(to, path.c_str()) == 1) return true;
  problems.push_back(
      fmt::format("[tls] cert = \"{}\": holds no certificate in PEM form ({}): give a file that "
                  "begins with -----BEGIN CERTIFICATE-----",
                  path, take_error()));
  return false;
}

bool use_key(SSL_CTX* to, OSSL_LIB_CTX* library, const TlsCertificate& from,
             std::vector<std::string>& problems) {
  if (std::string fault = unreadable("key", from.key); !fault.empty()) {
    problems.push_back(std::move(fault));
    return false;
  }
  const MemoryBio file(BIO_new_file(from.key.c_str(), "rb"));
  const PrivateKey key(
      file ? PEM_read_bio_PrivateKey_ex(file.get(), nullptr, no_passphrase, nullptr, library, nullptr)
           : nullptr);
  if (!key) {
    problems.push_back(
        fmt::format("[tls] key = \"{}\": holds no private key that can be read ({}): give one in "
                    "PEM form without a passphrase (openssl pkey -in KEY -out PLAIN)",
                    from.key, take_error()));
    return false;
  }
  if (X509_check_private_key(SSL_CTX_get0_certificate(to), key.get()) != 1) {
    ERR_clear_error();
    problems.push_back(
        fmt::format("[tls] key = \"{}\": does not belong to the certificate in \"{}\": give the key "
                    "that this certificate was made for",
                    from.key, from.cert));
    return false;
  }
  if (SSL_CTX_use_PrivateKey(to, key.get()) == 1) return true;
  problems.push_back(
      fmt::format("[tls] key = \"{}\": OpenSSL does not take it ({}): use an EC or RSA key of a "
                  "usual size",
                  from.key, take_error()));
  return false;
}

void warn_of_dates(SSL_CTX* context, const std::string& path, std::vector<std::string>& warnings) {
  const X509* certificate = SSL_CTX_get0_certificate(context);
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    warnings.push_back(fmt::format(
        "[tls] cert = \"{}\": has expired, and clients will refuse it: renew it, then reload", path));
  } else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
    warnings.push_back(fmt::format(
        "[tls] cert = \"{}\": is not valid yet, and clients will refuse it: check the clock", path));
  }
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool use_certificate(SSL_CTX* to, OSSL_LIB_CTX* library, const TlsCertificate& from,
                     std::vector<std::string>& problems, std::vector<std::string>& warnings) {
  ERR_clear_error();
  if (!use_chain(to, from.cert, problems) || !use_key(to, library, from, problems)) return false;
  warn_of_dates(to, from.cert, warnings);
  return true;
}

std::vector<std::string> names_of(SSL_CTX* context) {
  std::vector<std::string> names;
  auto* found = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(SSL_CTX_get0_certificate(context), NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(found); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(found, i);
    if (name->type != GEN_DNS) continue;
    const ASN1_STRING* text = name->d.dNSName;
    names.push_back(lower_case({reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                static_cast<std::size_t>(ASN1_STRING_length(text))}));
  }
  GENERAL_NAMES_free(found);
  return names;
}

bool use_client_authorities(SSL_CTX* to, const std::string& file, std::vector<std::string>& problems) {
  if (std::string fault = unreadable("client_ca", file); !fault.empty()) {
    problems.push_back(std::move(fault));
    return false;
  }
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(file.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(to, file.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    problems.push_back(
        fmt::format("[tls] client_ca = \"{}\": holds no certificate in PEM form ({}): give the certificates "
                    "of the authorities "
                    "that sign your clients'",
                    file, take_error()));
    return false;
  }
  SSL_CTX_set_client_CA_list(to, names);  // Takes it.
  return true;
}

}  // namespace millrace::tls
