#include "engine/ext/tls/layer.hpp"

#include <openssl/conf.h>

#include <new>
#include <utility>

#include "engine/base/assert.hpp"
#include "engine/ext/tls/key_derivation.hpp"

namespace millrace::tls {
namespace {

Session& session_of(BIO* bio) noexcept { return *static_cast<Session*>(BIO_get_data(bio)); }

int bio_read(BIO* bio, char* out, int size) {
  BIO_clear_retry_flags(bio);
  const int taken = session_of(bio).take(out, size);
  if (taken != 0) return taken;
  BIO_set_retry_read(bio);
  return -1;
}

int bio_write(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  return session_of(bio).put(bytes, size);
}

/// Where OpenSSL tells a BIO that it could have the kernel seal: in its bio.h a comment, but fixed, since BIOs of
/// others see it. Told of no success, OpenSSL seals by itself.
constexpr int control_kernel_keys = 72;  ///< Its number: 0 for the keys of what is received.

long bio_control(BIO* bio, int command, long number, void* bytes) {
  if (command == control_kernel_keys && number != 0) session_of(bio).keep_keys(bytes);
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_bio_method() {
  static const int type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK;  // OpenSSL has few: one a process.
  BIO_METHOD* made = BIO_meth_new(type, "millrace connection");
  MR_ASSERT(made != nullptr);
  BIO_meth_set_read(made, bio_read);
  BIO_meth_set_write(made, bio_write);
  BIO_meth_set_ctrl(made, bio_control);
  return made;
}

/// As the process's own, with the providers that openssl.cnf asks for, and ours.
CoreLibrary make_library() {
  Library made(OSSL_LIB_CTX_new());
  MR_ASSERT(made != nullptr);
  char* file = CONF_get1_default_config_file();
  if (file != nullptr && OSSL_LIB_CTX_load_config(made.get(), file) != 1) ERR_clear_error();
  OPENSSL_free(file);
  Provider derivation = add_key_derivation(*made);
  return {std::move(made), std::move(derivation)};
}

}  // namespace

void Stage::on_deadline(net::Connection& connection) noexcept {
  layer_.count().failures.fetch_add(1, std::memory_order_relaxed);
  layer_.carrier().abort(connection, net::CloseReason::timeout);
}

void Stage::on_drain(net::Connection& connection) noexcept {
  layer_.carrier().abort(connection, net::CloseReason::stopped);
}

Server::Server() : keys_(0) {}

void Server::load(const ServerOptions& options, std::size_t cores, std::vector<std::string>& problems,
                  std::vector<std::string>& warnings) {
  MR_ASSERT(cores != 0);
  while (libraries_.size() < cores) libraries_.push_back(make_library());
  MR_ASSERT(libraries_.size() == cores);
  std::vector<std::shared_ptr<const Context>> made;
  std::vector<std::string> repeated;
  for (const CoreLibrary& core : libraries_) {
    made.push_back(
        Context::build(options, keys_, core.openssl.get(), problems, made.empty() ? warnings : repeated));
    if (made.back() == nullptr) return;
  }
  keys_.set_lifetime(options.tls_session_ms * ns_per_ms);
  handshake_ns_ = options.tls_handshake_ms * ns_per_ms;
  kernel_ = options.tls_kernel;
  {
    const std::lock_guard lock(mutex_);
    current_.swap(made);
  }
  version_.fetch_add(1, std::memory_order_release);
}

std::unique_ptr<net::TransportFactory> Server::make_factory(std::size_t core) {
  return std::make_unique<Layer>(*this, core);
}

std::shared_ptr<const Context> Server::current(std::size_t core) const {
  const std::lock_guard lock(mutex_);
  return current_[core];
}

Layer::Layer(Server& server, std::size_t core)
    : server_(server),
      core_(core),
      bio_method_(make_bio_method()),
      scratch_(std::make_unique<char[]>(scratch_bytes + mem::padding_bytes)) {}

Layer::~Layer() { BIO_meth_free(bio_method_); }

net::Transport* Layer::open(net::Connection& connection, net::Carrier& carrier,
                            mem::BlockPool& pool) noexcept {
  if (const std::uint64_t newest = server_.version(); newest != version_) {
    version_ = newest;
    context_ = server_.current(core_);
  }
  carrier_ = &carrier;
  auto* session = new (std::nothrow)
      Session(*this, context_, connection, carrier, pool, server_.kernel() ? carrier.kernel_tls() : nullptr);
  if (session == nullptr || !session->good()) {
    if (session != nullptr) session->release();
    return nullptr;
  }
  connection.protocol = &stage_;
  carrier.set_deadline(connection, carrier.now() + handshake_ns());
  return session;
}

}  // namespace millrace::tls

namespace millrace::serve {

std::unique_ptr<Secure> make_secure() { return std::make_unique<tls::Server>(); }
std::string secure_version() { return OpenSSL_version(OPENSSL_VERSION); }

}  // namespace millrace::serve
