// session.hpp: TLS on one connection: OpenSSL between the socket's bytes and the protocol's.
//
//   socket -> on_bytes -> BIO -> SSL_read -> the core's scratch -> Protocol::on_bytes
//   Connection::output -> seal -> SSL_write -> BIO -> Connection::output
//
// Where the kernel makes records, it takes over with the first file that it could send without a copy, and what is
// sent needs no seal() any more; what is received goes the same way as before (docs/decisions/0029).
//
// Owner       the connection; made by its core's Layer (layer.hpp), deleted by release().
// Invariants  (1) what OpenSSL wants to send outside of seal() (handshake, tickets, alerts) waits in own_,
//                 and goes out before what is sealed next: records leave in the order they were made in.
//             (2) until the handshake is complete the connection's protocol is the layer's Stage, and
//                 again after a broken record: the real one never sees a byte that was not authentic.
// When full   control_bytes_max: a peer that sends records without content is cut.
#pragma once

#include <memory>

#include "engine/ext/tls/context.hpp"
#include "engine/ext/tls/send_keys.hpp"
#include "engine/net/chain.hpp"
#include "engine/net/transport.hpp"

namespace millrace::tls {

class Layer;

class Session final : public net::Transport {
 public:
  /// Bytes of records since the last byte of content: no handshake is that long, nor any record, and key
  /// updates, refused renegotiations and empty records end here.
  static constexpr std::size_t control_bytes_max = 128 * 1024;

  /// kernel  null: records are made here alone.
  Session(Layer& layer, std::shared_ptr<const Context> context, net::Connection& connection,
          net::Carrier& carrier, mem::BlockPool& pool, io::KernelTls* kernel) noexcept;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  bool good() const noexcept { return ssl_ != nullptr; }

  void on_bytes(net::Connection& connection, char* data, std::size_t size) noexcept override;
  void on_end(net::Connection& connection) noexcept override;
  bool sends_files(net::Connection& connection) noexcept override;
  void seal(net::Connection& connection) noexcept override;
  void release() noexcept override;
  std::string peer_subject() const override;

  // Called by the BIO.
  int take(char* out, int size) noexcept;
  int put(const char* bytes, int size) noexcept;
  void keep_keys(const void* info) noexcept { send_keys_.keep(info); }
  static void on_message(int sent, int version, int type, const void* bytes, std::size_t size, SSL* ssl,
                         void* session);

 private:
  enum class Phase : std::uint8_t {
    hello,      ///< Nothing was received yet.
    handshake,  ///< Under way.
    open,
    ended,   ///< The peer said that it sends no more.
    broken,  ///< Its alert is all that is still sent.
  };

  ~Session();
  bool greet(net::Connection& connection, const char* data) noexcept;
  bool shake_hands(net::Connection& connection) noexcept;
  bool waits_for_more() const noexcept { return in_bytes_ == 0 && SSL_want_read(ssl_) != 0; }
  void read(net::Connection& connection) noexcept;
  void break_off(net::Connection& connection) noexcept;
  bool encrypt(net::Chain& plain) noexcept;
  bool forgets_keys() noexcept;
  void hand_over(net::Connection& connection) noexcept;
  void end_in_kernel(net::Connection& connection) noexcept;

  Layer& layer_;
  net::Carrier& carrier_;
  mem::BlockPool& pool_;
  net::Protocol* protocol_;  ///< What the connection speaks once the handshake is complete.
  SSL* ssl_ = nullptr;
  std::shared_ptr<const Context> context_;  ///< Until the handshake is complete.
  net::Chain own_;
  net::Chain* out_ = &own_;  ///< Where the BIO puts bytes.
  const char* in_ = nullptr;
  std::size_t in_bytes_ = 0;
  std::size_t control_bytes_ = 0;
  Phase phase_ = Phase::hello;
  bool close_told_ = false;  ///< Our close_notify was made.
  bool attached_ = false;    ///< The socket is ready for the kernel to seal.
  io::KernelTls* kernel_;
  SendKeys send_keys_;  ///< Until the kernel has them.
};

}  // namespace millrace::tls
