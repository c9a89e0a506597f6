#include "engine/ext/tls/ticket_keys.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <time.h>

namespace millrace::tls {
namespace {

void wipe(TicketKeys::Key& key) noexcept { OPENSSL_cleanse(&key, sizeof key); }

bool make(TicketKeys::Key& key) noexcept {
  return RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) == 1 &&
         RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) == 1 &&
         RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) == 1;
}

bool named(const TicketKeys::Key& key, const unsigned char* name) noexcept {
  return CRYPTO_memcmp(key.name.data(), name, key.name.size()) == 0;
}

}  // namespace

TimeNs TicketKeys::monotonic() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<TimeNs>(now.tv_sec) * ns_per_s + static_cast<TimeNs>(now.tv_nsec);
}

TicketKeys::TicketKeys(TimeNs lifetime, Clock clock) noexcept
    : cipher_(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)), lifetime_(lifetime), clock_(clock) {}

TicketKeys::~TicketKeys() {
  wipe(newest_);
  wipe(older_);
  EVP_CIPHER_free(cipher_);
}

void TicketKeys::set_lifetime(TimeNs lifetime) noexcept {
  const std::lock_guard lock(mutex_);
  lifetime_ = lifetime;
}

// Under the lock. After two lifetimes without a handshake the newest is too old to open anything as well.
bool TicketKeys::rotate(TimeNs now) noexcept {
  const TimeNs age = now - made_;
  if (has_newest_ && age < lifetime_) return true;
  has_older_ = has_newest_ && age < 2 * lifetime_;
  if (has_older_) {
    older_ = newest_;
  } else {
    wipe(older_);
  }
  has_newest_ = make(newest_);
  made_ = now;
  return has_newest_;
}

bool TicketKeys::newest(Key& out) noexcept {
  const std::lock_guard lock(mutex_);
  if (!rotate(clock_())) return false;
  out = newest_;
  return true;
}

bool TicketKeys::find(const unsigned char* name, Key& out, bool& renew) noexcept {
  const std::lock_guard lock(mutex_);
  if (!rotate(clock_())) return false;
  const bool is_newest = named(newest_, name);
  if (!is_newest && !(has_older_ && named(older_, name))) return false;
  out = is_newest ? newest_ : older_;
  renew = !is_newest;
  return true;
}

}  // namespace millrace::tls
