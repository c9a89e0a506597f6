#include "engine/io/send_file.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace millrace::io {
namespace {

std::size_t piece_of(const FileSlice& file) noexcept {
  return static_cast<std::size_t>(std::min<std::uint64_t>(file.size_bytes, file_piece_bytes));
}

/// sendfile(2) takes no flags: only the descriptor itself can say that it must not wait. Nothing else looks
/// at that meanwhile, because operations on it are started by this thread alone.
void set_nonblocking(Descriptor socket, int on) noexcept { ::ioctl(socket, FIONBIO, &on); }

/// For a large file, so that the socket asks for a piece at a time and not for a fraction of one. Not before
/// the peer has shown that it reads: who does not is to cost no more than the bytes of other replies do.
void adapt_unsent(Descriptor socket, FileSlice& file) noexcept {
  const bool raise = file.size_bytes > file_piece_bytes && file.taken_bytes >= file_piece_bytes;
  if (raise == file.unsent_raised) return;
  int bytes = 0;
  socklen_t size = sizeof bytes;
  if (raise) {
    if (::getsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, &size) != 0) return;
    file.unsent_before = bytes;
  }
  bytes = raise ? std::max(file_unsent_bytes_max, bytes) : file.unsent_before;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
  file.unsent_raised = raise;
}

/// For a file system without pages to refer to.
int send_copied_piece(Descriptor socket, const FileSlice& file) noexcept {
  const int count = copy_piece(file);
  if (count < 0) return count;
  const ssize_t sent =
      ::send(socket, file.room.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? -errno : static_cast<int>(sent);
}

int send_piece(Descriptor socket, FileSlice& file) noexcept {
  adapt_unsent(socket, file);
  off_t offset = static_cast<off_t>(file.offset);
  set_nonblocking(socket, 1);
  ssize_t sent = -1;
  do {
    sent = ::sendfile(socket, file.descriptor, &offset, piece_of(file));
  } while (sent < 0 && errno == EINTR);
  const int error = errno;
  set_nonblocking(socket, 0);
  if (sent < 0) return error == EINVAL ? send_copied_piece(socket, file) : -error;
  file.taken_bytes += static_cast<std::uint64_t>(sent);
  return sent == 0 ? -ENODATA : static_cast<int>(sent);
}

}  // namespace

int send_file_now(Descriptor socket, std::span<const iovec> parts, FileSlice& file) noexcept {
  std::size_t parts_bytes = 0;
  for (const iovec& part : parts) parts_bytes += part.iov_len;
  if (parts_bytes == 0) return send_piece(socket, file);
  msghdr header{};
  header.msg_iov = const_cast<iovec*>(parts.data());
  header.msg_iovlen = parts.size();
  const ssize_t sent = ::sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE);
  if (sent < 0) return errno == EINTR ? -EAGAIN : -errno;
  if (static_cast<std::size_t>(sent) < parts_bytes) return static_cast<int>(sent);
  // What fails now fails again for the next call, which then has nothing else to tell.
  const int more = send_piece(socket, file);
  return static_cast<int>(sent) + std::max(more, 0);
}

bool file_in_memory(const FileSlice& file) noexcept {
  char byte = 0;
  const iovec place{&byte, 1};
  const off_t last = static_cast<off_t>(file.offset + piece_of(file) - 1);
  return ::preadv2(file.descriptor, &place, 1, last, RWF_NOWAIT) >= 0 || errno != EAGAIN;
}

int copy_piece(const FileSlice& file) noexcept {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(file.size_bytes, file.room.size()));
  const ssize_t count = ::pread(file.descriptor, file.room.data(), size, static_cast<off_t>(file.offset));
  if (count == 0) return -ENODATA;
  return count < 0 ? -errno : static_cast<int>(count);
}

}  // namespace millrace::io
