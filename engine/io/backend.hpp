// backend.hpp: the seam to the kernel. About ten operations in the shape of completions.
//
//   Core --accept/recv/send/...--> [IoBackend] --wait()--> Completion
//
// Owner       one per Core, used by its thread alone (wake() excepted).
// Implemented by uring/ (the kernel) and sim/ (seeded, deterministic, for tests).
// Guarantees  every operation that was started ends in exactly one completion without `more`, also
//             after cancel(); memory handed to send() is the backend's until then. Completions of
//             different operations come in any order. No operation completes inside the call that
//             starts it: completions come out of wait() alone.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/base/assert.hpp"
#include "engine/base/clock.hpp"
#include "engine/io/completion.hpp"

namespace millrace::io {

/// A socket: a file descriptor for uring, a simulated socket's number for sim.
using Descriptor = std::int32_t;
inline constexpr Descriptor no_descriptor = -1;

/// Bytes `offset` to `offset + size_bytes` of an open file. The caller moves it on by what was sent.
struct FileSlice {
  int descriptor = -1;
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t loaded_end = 0;   ///< The backend's: up to here it had the file brought into memory.
  std::uint64_t taken_bytes = 0;  ///< The backend's: of it, what the socket took by sendfile.
  int unsent_before = 0;          ///< The backend's: what the socket took of unsent bytes before this file.
  bool unsent_raised = false;     ///< The backend's: the socket takes more unsent bytes than it did.
  std::span<char> room;           ///< For the backend: some bytes of the file, where it must send copies.
};

/// Counts since the start; every one is an event the core survived.
struct BackendStats {
  std::uint64_t waits = 0;  ///< Calls of wait(): system calls, for uring.
  std::uint64_t completions = 0;
  std::uint64_t submissions = 0;
  std::uint64_t queue_overflows = 0;    ///< Completion queue overflows that the kernel reported.
  std::uint64_t submission_stalls = 0;  ///< Times the submission queue was full and was submitted early.
};

struct BackendOptions {
  std::uint32_t queue_entries = 4096;        ///< Submissions that fit between two waits, power of two.
  std::uint32_t completion_entries = 16384;  ///< Completion queue, power of two, >= queue_entries.
  std::uint32_t buffers = 512;               ///< Provided receive buffers, power of two, <= 32768.
  std::uint32_t buffer_bytes = 8192;         ///< Size of each.
  /// An eventfd for wake(), which whoever made it closes, where threads that wake have another descriptor table.
  Descriptor wake_descriptor = no_descriptor;
};

/// Records of TLS that are made below the socket, of what is sent.
class KernelTls {
 public:
  /// Makes a connected socket ready for seal(), which changes nothing for it yet. False: it cannot be. Immediate.
  virtual bool attach(Descriptor descriptor) noexcept = 0;
  /// Behind attach(), with no send under way: what is sent from now on is content, and leaves in records made with
  /// `keys`, a tls12_crypto_info_... of linux/tls.h. False: not with these, and nothing has changed. Immediate.
  virtual bool seal(Descriptor descriptor, std::span<const char> keys) noexcept = 0;

 protected:
  ~KernelTls() = default;
};

class IoBackend {
 public:
  virtual ~IoBackend() = default;

  /// Accepts connections until an error: a completion each, `result` the new descriptor. On EMFILE
  /// and the like one completion without `more`; the caller arms it again when it wants to.
  virtual void accept(Token token, Descriptor listener) noexcept = 0;

  /// Receives into provided buffers until the end: a completion each, `result` bytes in
  /// `buffer_id`; 0 (end of stream), -ENOBUFS (no buffer was free: arm again after give_back) and
  /// other errors come without `more` and without a buffer.
  virtual void recv(Token token, Descriptor descriptor) noexcept = 0;

  /// Sends the parts in order; `result` is the count of bytes the kernel took, which may be fewer
  /// than asked (never 0 for a non-empty send). `parts` and the bytes stay untouched until the completion.
  /// At most one send a descriptor at a time. 1 <= parts.size() <= 1024.
  virtual void send(Token token, Descriptor descriptor, std::span<const iovec> parts) noexcept = 0;

  /// Sends the parts (perhaps none), then a piece of the file behind them, which is not copied through user
  /// space. An Op::send like that of send(), and in its place: `result` counts the bytes of both, or is
  /// -EAGAIN (nothing was sent, but now it can be: ask again) or -ENODATA (there were no parts, and the
  /// file has ended before the slice). The slice and its descriptor stay until the completion.
  virtual void send_file(Token token, Descriptor descriptor, std::span<const iovec> parts,
                         FileSlice& file) noexcept = 0;

  /// As send(), and the bytes are an alert in place of content, on a socket whose records KernelTls makes.
  virtual void send_alert(Token, Descriptor, std::span<const iovec>) noexcept {
    MR_UNREACHABLE("a backend without KernelTls has no such records");
  }

  /// Null: there is none.
  virtual KernelTls* kernel_tls() noexcept { return nullptr; }

  /// One completion once the peer has reset or both directions are closed: `result` >= 0. A negative
  /// one other than -ECANCELED says that the kernel stopped watching: ask again where it matters.
  virtual void hangup(Token token, Descriptor descriptor) noexcept = 0;

  /// Asks for the early end of the operation with that token. It completes as usual: with
  /// -ECANCELED, or with what it had come to.
  virtual void cancel(Token token) noexcept = 0;

  /// shutdown(2) of the sending direction: the peer reads the end after what was sent. Immediate. Where
  /// KernelTls makes the records, some of them may not be in the socket yet, and are lost: also by close().
  virtual void shutdown_send(Descriptor descriptor) noexcept = 0;

  /// Closes it. No operation on it may be under way. Immediate: the number may be used again at once.
  /// `reset` discards what is unsent and resets the connection (SO_LINGER 0).
  virtual void close(Descriptor descriptor, bool reset) noexcept = 0;

  /// Submits what was started and waits until there is a completion, or the deadline (a time of
  /// now(); time_never waits for ever; a time that is past only polls). Fills `out` from the front
  /// and returns how many; what does not fit comes next time.
  virtual std::size_t wait(std::span<Completion> out, TimeNs deadline) noexcept = 0;

  /// Makes wait() return with an Op::wake completion (token slot 0). Any thread, any time.
  virtual void wake() noexcept = 0;

  /// The monotonic time. A clock read: ask once a turn.
  virtual TimeNs now() noexcept = 0;

  /// Bytes of a provided buffer; buffer_bytes() of them, and mem::padding_bytes readable behind.
  virtual char* buffer(std::uint16_t buffer_id) noexcept = 0;
  virtual std::uint32_t buffer_bytes() const noexcept = 0;
  virtual std::uint32_t buffers() const noexcept = 0;

  /// Returns buffers to the kernel, with one store for all of them.
  virtual void give_back(std::span<const std::uint16_t> buffer_ids) noexcept = 0;

  /// The peer's address, or false where the socket has gone. A system call: only when asked for.
  virtual bool peer_address(Descriptor descriptor, sockaddr_storage& out) noexcept = 0;

  /// Bytes that were sent and that the peer has not acknowledged yet. A system call: only when asked for.
  virtual std::size_t unacknowledged_bytes(Descriptor descriptor) noexcept = 0;

  virtual const BackendStats& stats() const noexcept = 0;
};

}  // namespace millrace::io
