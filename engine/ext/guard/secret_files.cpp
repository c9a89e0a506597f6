#include "engine/ext/guard/secret_files.hpp"

#include <crypt.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "engine/base/assert.hpp"
#include "engine/base/sha256.hpp"

namespace millrace::guard {
namespace {

struct Line {
  std::size_t number;
  std::string text;
};

std::vector<Line> lines_of(const std::string& path, std::string& problem) {
  std::vector<Line> lines;
  std::ifstream file(path);
  std::string text;
  for (std::size_t number = 1; std::getline(file, text); ++number) {
    if (text.ends_with('\r')) text.pop_back();
    if (!text.empty() && text.front() != '#') lines.push_back({number, text});
  }
  if (!file.is_open() || file.bad())
    problem = fmt::format("{}: cannot be read ({})", path, std::strerror(errno));
  else if (lines.empty())
    problem = fmt::format("{}: names nobody", path);
  return lines;
}

/// What was right once, known again without the slow hash. Digests have a salt of this process.
class Proven {
 public:
  Proven() { MR_ASSERT(::getrandom(salt_.data(), salt_.size(), 0) == static_cast<ssize_t>(salt_.size())); }
  Sha256Digest digest(std::string_view name, std::string_view password) const {
    return hmac_sha256({salt_.data(), salt_.size()}, std::string(name).append(1, ':').append(password));
  }

 private:
  std::array<char, 32> salt_{};
};

class Passwords {
 public:
  void add(std::string name, std::string hash) { hashes_.insert_or_assign(std::move(name), std::move(hash)); }
  bool has(const std::string& name) const { return hashes_.contains(name); }

  bool right(std::string_view name, std::string_view password) const {
    const auto found = hashes_.find(name);
    const bool known = found != hashes_.end();
    if (password.find('\0') != password.npos) return false;  // crypt(3) would see what stands before it.
    const auto digest = salt_.digest(name, password);
    // Of this thread, by the file: one set of digests for each name that has come in.
    thread_local std::map<std::pair<const Passwords*, std::string>, Sha256Digest> proven;
    if (known) {
      const auto before = proven.find({this, found->first});
      if (before != proven.end() && equal_in_constant_time(before->second, digest)) return true;
    }
    // For a name that there is not, the work is the same: the time must not tell which there are.
    const std::string& hash = known ? found->second : hashes_.begin()->second;
    const auto scratch = std::make_unique<crypt_data>();
    const char* made = ::crypt_r(std::string(password).c_str(), hash.c_str(), scratch.get());
    if (made == nullptr || !same_secret(made, hash) || !known) return false;
    proven.insert_or_assign({this, found->first}, digest);
    return true;
  }

 private:
  std::map<std::string, std::string, std::less<>> hashes_;
  Proven salt_;
};

}  // namespace

PasswordCheck password_file(const std::string& path, std::string& problem) {
  auto passwords = std::make_shared<Passwords>();
  for (const Line& line : lines_of(path, problem)) {
    const std::size_t colon = line.text.find(':');
    std::string name = line.text.substr(0, colon);
    if (colon == std::string::npos || name.empty()) {
      problem = fmt::format("{}:{}: expected NAME:HASH, as `htpasswd -nB NAME` writes it", path, line.number);
    } else if (::crypt_checksalt(line.text.c_str() + colon + 1) != CRYPT_SALT_OK) {
      problem = fmt::format("{}:{}: the hash of {} is of no strong kind: make it by `htpasswd -nB {}`", path,
                            line.number, name, name);
    } else if (passwords->has(name)) {
      problem = fmt::format("{}:{}: {} is there twice", path, line.number, name);
    }
    if (!problem.empty()) return {};
    passwords->add(std::move(name), line.text.substr(colon + 1));
  }
  return [passwords](std::string_view name, std::string_view password) {
    return passwords->right(name, password);
  };
}

TokenCheck token_file(const std::string& path, std::string& problem) {
  std::vector<std::string> tokens;
  for (Line& line : lines_of(path, problem)) {
    if (line.text.find_first_of(" \t") != std::string::npos)
      problem = fmt::format("{}:{}: a token has no spaces", path, line.number);
    tokens.push_back(std::move(line.text));
  }
  return [tokens](std::string_view token) {
    bool right = false;
    for (const std::string& one : tokens) right |= same_secret(one, token);
    return right;
  };
}

}  // namespace millrace::guard
