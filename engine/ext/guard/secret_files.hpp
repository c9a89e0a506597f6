// secret_files.hpp: who may come in, by files: names with hashes of passwords, or tokens.
//
//   # users: as `htpasswd -B` and `mkpasswd` write them      # tokens: one a line
//   ada:$2y$10$...                                            0f6c...
//
// Read once. Empty lines, and those that begin with #, say nothing.
// Cost        a hash is made to be slow, milliseconds: each thread remembers, by a digest of its own, what was
//             right once, so it costs once a name and thread, and with every wrong password.
#pragma once

#include <millrace/middleware/auth.hpp>

#include <string>

namespace millrace::guard {

/// Hashes: bcrypt, SHA-512, yescrypt and what else crypt(5) calls strong. `problem`: what is wrong with the file.
PasswordCheck password_file(const std::string& path, std::string& problem);
TokenCheck token_file(const std::string& path, std::string& problem);

}  // namespace millrace::guard
