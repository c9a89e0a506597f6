// secret_files.hpp: who may come in, by files: names with hashes of passwords, or tokens.
//
//   # users: as `htpasswd -B` and `mkpasswd` write them      # tokens: one a line
//   ada:$2y$10$...                                            0f6c...
//
// Empty lines, and those that begin with #, say nothing.
// Shared by all cores: each keeps what was read last, and asks without a lock whether there is something newer.
// Cost        a hash is made to be slow, milliseconds: each thread remembers, by a digest of its own, what was
//             right once, so it costs once a name and thread, and with every wrong password.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace millrace::guard {

class Secrets;

class SecretFile {
 public:
  enum class Kind : std::uint8_t {
    users,  ///< Hashes: bcrypt, SHA-512, yescrypt and what else crypt(5) calls strong.
    tokens,
  };

  SecretFile(Kind kind, std::string path);
  SecretFile(const SecretFile&) = delete;
  SecretFile& operator=(const SecretFile&) = delete;

  /// Reads the file, which counts from the next request on. An empty string, or what is wrong with it: then what
  /// was read before stays. Any thread.
  [[nodiscard]] std::string read();

  /// Once read() has succeeded.
  bool right_password(std::string_view name, std::string_view password) const;
  bool right_token(std::string_view token) const;

  Kind kind() const noexcept { return kind_; }
  const std::string& path() const noexcept { return path_; }

 private:
  struct Known;
  Known& of_this_thread() const;

  const Kind kind_;
  const std::string path_;
  const std::uint64_t id_;  ///< Of no other one of this process, also of those that are gone.
  mutable std::mutex mutex_;
  std::shared_ptr<const Secrets> newest_;  ///< Under mutex_.
  std::atomic<std::uint64_t> version_{0};  ///< Of newest_.
};

}  // namespace millrace::guard
