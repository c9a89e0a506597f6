// sim_link.hpp: a client's end of its connection: bytes as they are, or through TLS, whose records then are
// cut as the client's other bytes are.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/io/sim/world.hpp"
#include "tests/sim/sim_tls.hpp"

namespace millrace::test {

class SimLink {
 public:
  explicit SimLink(io::sim::World& world) noexcept : world_(world) {}
  SimLink(const SimLink&) = delete;
  SimLink& operator=(const SimLink&) = delete;

  /// tls    null: plain. random: null: records are sent whole; must outlive it.
  void connect(io::Descriptor listener, std::unique_ptr<TlsEnd> tls, io::sim::Random* random);
  bool connected() const noexcept { return connected_; }
  /// Calls `action` when content, the end or a reset has come.
  void on_received(std::function<void()> action) { on_received_ = std::move(action); }

  void write(std::string_view content);
  /// Nothing more is written.
  void half_close();
  void close();
  void reset() { client_.reset(); }
  void set_reading(bool reads) { client_.set_reading(reads); }

  /// The content.
  const std::string& received() const noexcept { return tls_ ? content_ : client_.received(); }
  bool accepted() const noexcept { return client_.accepted(); }
  bool eof() const noexcept { return client_.eof(); }
  bool was_reset() const noexcept { return client_.was_reset(); }
  bool let_go() const noexcept { return client_.let_go(); }
  bool ended() const noexcept { return half_closed_ || client_.ended(); }
  bool secure() const noexcept { return tls_ != nullptr; }
  /// Content can pass: at once where it is plain.
  bool open() const noexcept { return tls_ == nullptr || tls_->open(); }
  /// The server said that it was its last byte, where a way to say so is known.
  bool end_was_told() const noexcept { return tls_ == nullptr || tls_->ended(); }
  bool broken() const noexcept { return tls_ != nullptr && tls_->broken(); }

 private:
  void on_wire();
  void send_on();
  void pump();

  io::sim::World& world_;
  io::sim::Client client_;
  io::sim::Random* random_ = nullptr;
  std::unique_ptr<TlsEnd> tls_;
  std::function<void()> on_received_;
  std::string content_;
  std::string wire_;  ///< To be sent.
  bool connected_ = false;
  bool pumping_ = false;
  bool half_closed_ = false;
};

}  // namespace millrace::test
