// layer.hpp: TLS on one core: it makes the sessions, and has what they share.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "engine/ext/tls/session.hpp"
#include "engine/mem/block_pool.hpp"
#include "engine/serve/secure.hpp"

namespace millrace::tls {

class Layer;

/// The protocol of a connection that has none: before the handshake is complete, and after a failure.
class Stage final : public net::Protocol {
 public:
  explicit Stage(Layer& layer) noexcept : layer_(layer) {}
  void on_open(net::Connection&) noexcept override {}
  void on_bytes(net::Connection&, char*, std::size_t) noexcept override {}
  void on_end(net::Connection&) noexcept override {}
  void on_sent(net::Connection&) noexcept override {}
  void on_deadline(net::Connection& connection) noexcept override;
  void on_drain(net::Connection& connection) noexcept override;
  void on_closed(net::Connection&) noexcept override {}

 private:
  Layer& layer_;
};

/// One core's OpenSSL.
struct CoreLibrary {
  Library openssl;
  Provider derivation;
};

/// Hands the newest contexts to the layers of all cores. Each core has OpenSSL's library to itself: the locks and
/// counts of one that they share are written in every step of every handshake.
class Server final : public serve::Secure {
 public:
  Server();
  void load(const ServerOptions& options, std::size_t cores, std::vector<std::string>& problems,
            std::vector<std::string>& warnings) override;
  std::unique_ptr<net::TransportFactory> make_factory(std::size_t core) override;

  std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }
  std::shared_ptr<const Context> current(std::size_t core) const;
  TimeNs handshake_ns() const noexcept { return handshake_ns_; }
  bool kernel() const noexcept { return kernel_; }

 private:
  TicketKeys keys_;
  std::vector<CoreLibrary> libraries_;  ///< One a core.
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const Context>> current_;  ///< One a core, all of the same files.
  std::atomic<std::uint64_t> version_{0};
  std::atomic<TimeNs> handshake_ns_{0};
  std::atomic<bool> kernel_{false};  ///< Its TLS may be used.
};

class Layer final : public net::TransportFactory {
 public:
  /// Plaintext of one event: a receive buffer's worth, and a record that was begun before it.
  static constexpr std::size_t scratch_bytes = 32 * 1024;

  Layer(Server& server, std::size_t core);
  ~Layer() override;

  net::Transport* open(net::Connection& connection, net::Carrier& carrier,
                       mem::BlockPool& pool) noexcept override;

  char* scratch() noexcept { return scratch_.get(); }
  BIO_METHOD* bio_method() const noexcept { return bio_method_; }
  net::Protocol& stage() noexcept { return stage_; }
  net::Carrier& carrier() noexcept { return *carrier_; }
  TimeNs handshake_ns() const noexcept { return server_.handshake_ns(); }
  net::TransportCounters& count() noexcept { return counters_; }

 private:
  Server& server_;
  std::size_t core_;
  std::shared_ptr<const Context> context_;
  std::uint64_t version_ = 0;
  BIO_METHOD* bio_method_;
  std::unique_ptr<char[]> scratch_;
  Stage stage_{*this};
  net::Carrier* carrier_ = nullptr;
};

}  // namespace millrace::tls
