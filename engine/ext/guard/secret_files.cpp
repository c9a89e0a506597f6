#include "engine/ext/guard/secret_files.hpp"

#include <crypt.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <millrace/middleware/auth.hpp>

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

using Names = std::map<std::string, std::string, std::less<>>;

/// Names and their hashes.
Names names_of(const std::string& path, std::string& problem) {
  Names hashes;
  for (const Line& line : lines_of(path, problem)) {
    const std::size_t colon = line.text.find(':');
    const std::string name = line.text.substr(0, colon);
    if (colon == std::string::npos || name.empty()) {
      problem = fmt::format("{}:{}: expected NAME:HASH, as `htpasswd -nB NAME` writes it", path, line.number);
    } else if (::crypt_checksalt(line.text.c_str() + colon + 1) != CRYPT_SALT_OK) {
      problem = fmt::format("{}:{}: the hash of {} is of no strong kind: make it by `htpasswd -nB {}`", path,
                            line.number, name, name);
    } else if (!hashes.emplace(name, line.text.substr(colon + 1)).second) {
      problem = fmt::format("{}:{}: {} is there twice", path, line.number, name);
    }
    if (!problem.empty()) break;
  }
  return hashes;
}

std::vector<std::string> tokens_of(const std::string& path, std::string& problem) {
  std::vector<std::string> tokens;
  for (Line& line : lines_of(path, problem)) {
    if (line.text.find_first_of(" \t") != std::string::npos)
      problem = fmt::format("{}:{}: a token has no spaces", path, line.number);
    tokens.push_back(std::move(line.text));
  }
  return tokens;
}

std::atomic<std::uint64_t> files_made{0};

}  // namespace

/// What one file said; not changed any more.
class Secrets {
 public:
  Secrets(Names hashes, std::vector<std::string> tokens)
      : hashes_(std::move(hashes)), tokens_(std::move(tokens)) {
    MR_ASSERT(::getrandom(salt_.data(), salt_.size(), 0) == static_cast<ssize_t>(salt_.size()));
  }

  /// By name, of a thread: the digest of the password that was right once.
  using Proven = std::map<std::string, Sha256Digest, std::less<>>;

  bool right_password(std::string_view name, std::string_view password, Proven& proven) const {
    const auto found = hashes_.find(name);
    const bool known = found != hashes_.end();
    if (password.find('\0') != password.npos) return false;  // crypt(3) would see what stands before it.
    const Sha256Digest digest = hmac_sha256({salt_.data(), salt_.size()}, password);
    if (known) {
      const auto before = proven.find(name);
      if (before != proven.end() && equal_in_constant_time(before->second, digest)) return true;
    }
    // For a name that there is not, the work is the same: the time must not tell which there are.
    const std::string& hash = known ? found->second : hashes_.begin()->second;
    const auto scratch = std::make_unique<crypt_data>();
    const char* made = ::crypt_r(std::string(password).c_str(), hash.c_str(), scratch.get());
    if (made == nullptr || !same_secret(made, hash) || !known) return false;
    proven.insert_or_assign(found->first, digest);
    return true;
  }

  bool right_token(std::string_view token) const {
    bool right = false;
    for (const std::string& one : tokens_) right |= same_secret(one, token);
    return right;
  }

 private:
  Names hashes_;
  std::vector<std::string> tokens_;
  std::array<char, 32> salt_{};  ///< Of the digests, so that they say nothing elsewhere.
};

/// What a thread has of a file.
struct SecretFile::Known {
  std::uint64_t file;
  std::uint64_t version = 0;
  std::shared_ptr<const Secrets> secrets = nullptr;
  Secrets::Proven proven = {};
};

SecretFile::SecretFile(Kind kind, std::string path)
    : kind_(kind), path_(std::move(path)), id_(++files_made) {}

std::string SecretFile::read() {
  std::string problem;
  Names hashes;
  std::vector<std::string> tokens;
  if (kind_ == Kind::users)
    hashes = names_of(path_, problem);
  else
    tokens = tokens_of(path_, problem);
  if (!problem.empty()) return problem;
  auto made = std::make_shared<const Secrets>(std::move(hashes), std::move(tokens));
  {
    const std::lock_guard lock(mutex_);
    newest_.swap(made);
  }
  version_.fetch_add(1, std::memory_order_release);
  return {};
}

// What a thread has proven of an older file goes with that.
SecretFile::Known& SecretFile::of_this_thread() const {
  thread_local std::vector<Known> all;
  auto known = std::find_if(all.begin(), all.end(), [this](const Known& one) { return one.file == id_; });
  if (known == all.end()) known = all.insert(all.end(), Known{.file = id_});
  if (const std::uint64_t version = version_.load(std::memory_order_acquire); version != known->version) {
    const std::lock_guard lock(mutex_);
    *known = {.file = id_, .version = version, .secrets = newest_};
  }
  MR_ASSERT(known->secrets != nullptr);
  return *known;
}

bool SecretFile::right_password(std::string_view name, std::string_view password) const {
  Known& known = of_this_thread();
  return known.secrets->right_password(name, password, known.proven);
}

bool SecretFile::right_token(std::string_view token) const {
  return of_this_thread().secrets->right_token(token);
}

}  // namespace millrace::guard
