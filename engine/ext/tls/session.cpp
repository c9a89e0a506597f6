#include "engine/ext/tls/session.hpp"

#include <openssl/x509.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "engine/base/assert.hpp"
#include "engine/ext/tls/layer.hpp"

namespace millrace::tls {
namespace {

constexpr std::size_t record_bytes = SSL3_RT_MAX_PLAIN_LENGTH;
constexpr std::size_t record_overhead_bytes = 32;  ///< At most: header, explicit nonce, type, tag.
constexpr char handshake_record = SSL3_RT_HANDSHAKE;

constexpr std::string_view plain_http_reply =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 46\r\n"
    "Connection: close\r\n\r\nThis port speaks TLS: use https:// in the URL.";

void add(net::TransportCounters::Count& count) noexcept {  // One writer: no locked instruction.
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

std::string text_of(const X509_NAME* name) {
  const MemoryBio out(BIO_new(BIO_s_mem()));
  if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) return {};
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

Session::Session(Layer& layer, std::shared_ptr<const Context> context, net::Connection& connection,
                 net::Carrier& carrier, mem::BlockPool& pool, io::KernelTls* kernel) noexcept
    : layer_(layer),
      carrier_(carrier),
      pool_(pool),
      protocol_(connection.protocol),
      context_(std::move(context)),
      kernel_(kernel) {
  BIO* bio = BIO_new(layer.bio_method());
  ssl_ = bio != nullptr ? context_->make_ssl() : nullptr;
  if (ssl_ == nullptr) {
    BIO_free(bio);
    ERR_clear_error();
    return;
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_accept_state(ssl_);
  if (kernel_ == nullptr) return;
  SSL_set_options(ssl_, SSL_OP_ENABLE_KTLS);  // Has OpenSSL offer its keys to the BIO, which only keeps them.
  SSL_set_msg_callback(ssl_, on_message);
  SSL_set_msg_callback_arg(ssl_, this);
}

Session::~Session() { SSL_free(ssl_); }

void Session::release() noexcept {
  own_.clear(pool_);
  delete this;
}

int Session::take(char* out, int size) noexcept {
  const std::size_t taken = std::min(in_bytes_, static_cast<std::size_t>(size));
  if (taken == 0) return 0;
  std::memcpy(out, in_, taken);
  in_ += taken;
  in_bytes_ -= taken;
  return static_cast<int>(taken);
}

void Session::on_message(int sent, int, int type, const void*, std::size_t, SSL*, void* session) {
  if (sent == 1 && type == SSL3_RT_HEADER) static_cast<Session*>(session)->send_keys_.count_record();
}

int Session::put(const char* bytes, int size) noexcept {
  return out_->append(pool_, {bytes, static_cast<std::size_t>(size)}) ? size : -1;
}

void Session::on_bytes(net::Connection& connection, char* data, std::size_t size) noexcept {
  if (phase_ == Phase::ended || phase_ == Phase::broken) return;  // RFC 8446 section 6.1: ignored.
  if (phase_ == Phase::hello && !greet(connection, data)) return;
  control_bytes_ += size;
  in_ = data;
  in_bytes_ = size;
  if (phase_ == Phase::open || shake_hands(connection)) read(connection);
  in_ = nullptr;
  in_bytes_ = 0;
  if (control_bytes_ > control_bytes_max) break_off(connection);
  // Before content it would have to be answered (RFC 8446 section 4.6.3), and the kernel keeps its keys.
  if (forgets_keys() && connection.kernel_seals) carrier_.abort(connection, net::CloseReason::refused);
  if (!own_.empty()) carrier_.flush_later(connection);
}

// No record of a handshake begins with a letter, and every request of plain HTTP does.
bool Session::greet(net::Connection& connection, const char* data) noexcept {
  phase_ = Phase::handshake;
  if (data[0] == handshake_record || data[0] < 'A' || data[0] > 'Z') return true;
  phase_ = Phase::broken;
  add(layer_.count().failures);
  static_cast<void>(own_.append(pool_, plain_http_reply));
  carrier_.finish(connection, net::CloseReason::refused);
  return false;
}

bool Session::shake_hands(net::Connection& connection) noexcept {
  if (SSL_do_handshake(ssl_) != 1) {
    if (!waits_for_more()) break_off(connection);
    return false;
  }
  phase_ = Phase::open;
  context_.reset();
  add(layer_.count().handshakes);
  if (SSL_session_reused(ssl_) == 1) add(layer_.count().resumed);
  connection.protocol = protocol_;
  protocol_->on_open(connection);
  return true;
}

// Gives the protocol everything that came, in one call where it fits the scratch. What a failed read means
// is asked of the SSL alone: the thread's queue of errors may hold the application's, and costs to empty.
void Session::read(net::Connection& connection) noexcept {
  char* const scratch = layer_.scratch();
  bool more = true;
  while (more) {
    std::size_t size = 0;
    while (more && size < Layer::scratch_bytes) {
      std::size_t got = 0;
      if (SSL_read_ex(ssl_, scratch + size, Layer::scratch_bytes - size, &got) != 1) break;
      size += got;
      more = in_bytes_ != 0 || SSL_pending(ssl_) != 0;
    }
    const bool failed = more && size < Layer::scratch_bytes;
    const bool waits = failed && waits_for_more();
    if (size != 0) {
      control_bytes_ = 0;
      connection.protocol->on_bytes(connection, scratch, size);
      if (connection.aborting || connection.finishing) return;  // Nothing behind is read.
    }
    if (waits) return;
    if (!failed) continue;
    if ((SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) == 0) return break_off(connection);
    phase_ = Phase::ended;
    connection.read_ended = true;
    return connection.protocol->on_end(connection);
  }
}

// A FIN without close_notify may be a truncation by somebody in between. A request says how long it is,
// so one that is cut is never run, and one that came whole is answered (RFC 9112 section 9.8): it is the
// same end as close_notify is.
void Session::on_end(net::Connection& connection) noexcept {
  if (phase_ == Phase::open) return connection.protocol->on_end(connection);
  if (phase_ == Phase::hello || phase_ == Phase::handshake) {
    if (phase_ == Phase::handshake) add(layer_.count().failures);
    carrier_.abort(connection, net::CloseReason::peer_closed);
  }
}

// The handshake failed, or a record is broken: OpenSSL has put its alert into own_.
void Session::break_off(net::Connection& connection) noexcept {
  if (phase_ == Phase::broken || connection.aborting) return;
  add(layer_.count().failures);
  ERR_clear_error();
  const bool opened = phase_ == Phase::open || phase_ == Phase::ended;
  phase_ = Phase::broken;
  if (opened) {
    connection.protocol->on_closed(connection);
    connection.protocol = &layer_.stage();
  }
  carrier_.set_deadline(connection, carrier_.now() + layer_.handshake_ns());
  carrier_.finish(connection, net::CloseReason::refused);
}

// The client wants other keys of us, which come with the next record: those that were kept are no good then.
bool Session::forgets_keys() noexcept {
  if (kernel_ == nullptr || SSL_get_key_update_type(ssl_) == SSL_KEY_UPDATE_NONE) return false;
  send_keys_.forget();
  return true;
}

bool Session::sends_files(net::Connection& connection) noexcept {
  if (connection.kernel_seals) return true;
  if (forgets_keys() || !send_keys_.known()) return false;
  if (!attached_) attached_ = kernel_->attach(connection.descriptor);
  if (!attached_) send_keys_.forget();
  return attached_;
}

void Session::hand_over(net::Connection& connection) noexcept {
  const bool sealed = send_keys_.known() && kernel_->seal(connection.descriptor, send_keys_.next());
  send_keys_.forget();
  SSL_set_msg_callback(ssl_, nullptr);
  // A file may wait, which is not sealed here: without the kernel it cannot be sent any more.
  if (!sealed) return carrier_.abort(connection, net::CloseReason::incomplete);
  connection.kernel_seals = true;
  add(layer_.count().kernel);
}

// OpenSSL's records would be no good any more: what it says now, an alert or the answer to a key update, ends the
// connection. Only our own end is told (RFC 8446 section 6.1), behind the last bytes.
void Session::end_in_kernel(net::Connection& connection) noexcept {
  if (!own_.empty() || phase_ == Phase::broken) return carrier_.abort(connection, net::CloseReason::refused);
  if (!connection.finishing || !connection.output.empty() || close_told_) return;
  close_told_ = connection.alert = true;
  constexpr char close_notify[] = {SSL3_AL_WARNING, SSL3_AD_CLOSE_NOTIFY};
  if (!connection.output.append(pool_, {close_notify, sizeof close_notify}))
    carrier_.abort(connection, net::CloseReason::no_memory);
}

void Session::seal(net::Connection& connection) noexcept {
  MR_ASSERT(connection.sealed_bytes == 0);
  const bool open = phase_ == Phase::open || phase_ == Phase::ended;
  if (attached_ && open && own_.empty() && !connection.kernel_seals) hand_over(connection);
  if (connection.aborting) return;
  if (connection.kernel_seals) return end_in_kernel(connection);
  net::Chain plain;
  if (open) {
    plain.take_over(connection.output);
  } else {
    connection.output.clear(pool_);  // Of a protocol that is gone.
  }
  connection.output.take_over(own_);
  bool good = true;
  if (open && !attached_) {
    out_ = &connection.output;
    good = plain.empty() || encrypt(plain);
    if (good && connection.finishing && !close_told_) {
      close_told_ = true;
      good = SSL_shutdown(ssl_) >= 0;
    }
    out_ = &own_;
    plain.clear(pool_);
  }
  connection.sealed_bytes = connection.output.bytes();
  connection.output.take_over(plain);  // The kernel's, once OpenSSL's own has left.
  if (!good) carrier_.abort(connection, net::CloseReason::no_memory);
}

// A record for each block of the chain, and 16 KiB at most: a head that was written before its body came
// from a file leaves in a record of its own, and is read without waiting for the rest.
bool Session::encrypt(net::Chain& plain) noexcept {
  const std::size_t size = plain.bytes();
  const std::size_t sealed = size + (size / record_bytes + 2) * record_overhead_bytes;
  static_cast<void>(out_->room(pool_, std::min(sealed, net::Chain::largest_room)));
  while (!plain.empty()) {
    std::size_t taken = 0;
    for (const iovec& part : plain.gather()) {
      std::size_t written = 0;
      if (SSL_write_ex(ssl_, part.iov_base, part.iov_len, &written) != 1) return false;
      MR_ASSERT(written == part.iov_len);
      taken += written;
    }
    plain.consume(pool_, taken);
  }
  return true;
}

std::string Session::peer_subject() const {
  const X509* certificate = SSL_get0_peer_certificate(ssl_);
  if (certificate == nullptr || SSL_get_verify_result(ssl_) != X509_V_OK) return {};
  return text_of(X509_get_subject_name(certificate));
}

}  // namespace millrace::tls
