// secure.hpp: TLS as a client speaks it, over bytes in memory: the worker moves them.
//
//   plain -> write() -> [SecureStream] -> take_records() -> socket
//   socket -> feed() -> [SecureStream] -> read() -> plain
//
// Owner       a SecureContext: the run, shared by its threads; a SecureStream: one connection after another.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/ext/bench/plan.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace millrace::bench {

class SecureContext {
 public:
  /// Null, and a sentence in `problem`, where a file cannot be read or this build has no TLS.
  static std::unique_ptr<SecureContext> make(const TlsPlan& plan, std::string& problem);
  SecureContext(const SecureContext&) = delete;
  SecureContext& operator=(const SecureContext&) = delete;
  ~SecureContext();

 private:
  friend class SecureStream;
  SecureContext(const TlsPlan& plan, ssl_ctx_st* context) : plan_(plan), context_(context) {}

  const TlsPlan plan_;
  ssl_ctx_st* const context_;
};

class SecureStream {
 public:
  explicit SecureStream(const SecureContext& context) noexcept : context_(context) {}
  SecureStream(const SecureStream&) = delete;
  SecureStream& operator=(const SecureStream&) = delete;
  ~SecureStream();

  /// Begins a connection; nothing is left of the one before. False where there is no memory.
  bool start() noexcept;

  /// Sends plain bytes once the handshake is complete. Those that wait for it must stay until then.
  void write(std::string_view plain) noexcept;
  /// Takes what came from the socket.
  void feed(std::string_view records) noexcept;
  /// The next plain bytes; 0 where there are none now.
  std::size_t read(std::span<char> out) noexcept;
  /// Puts what is to be sent behind `out`.
  void take_records(std::string& out);

  /// The server said that nothing follows: without that, an end may be a cut (RFC 8446 section 6.1).
  bool ended() const noexcept { return ended_; }
  /// What broke it; empty: nothing did.
  const std::string& fault() const noexcept { return fault_; }

 private:
  bool shake_hands() noexcept;
  void judge(int result) noexcept;

  const SecureContext& context_;
  ssl_st* ssl_ = nullptr;
  std::string_view waiting_;  ///< For the handshake.
  std::string fault_;
  bool ended_ = false;
};

}  // namespace millrace::bench
