// send_file.hpp: bytes of a file, sent without going through user space: what the kernel's backends share.
#pragma once

#include <cstddef>
#include <span>

#include "engine/io/backend.hpp"

namespace millrace::io {

/// Sends what the socket takes now: the parts, then a piece of the file (sendfile(2), after the parts as one
/// stream of segments), or a copy of some bytes of it where the file system cannot do that. Never waits for the
/// socket; waits for the file where it is not in memory.
/// Returns  the bytes the kernel took, of both;
///          -EAGAIN    the socket takes none now;
///          -ENODATA   there are no parts, and the file ends before the slice does;
///          another negative errno.
int send_file_now(Descriptor socket, std::span<const iovec> parts, FileSlice& file) noexcept;

/// Bytes of the file that one call sends at most, so that one connection cannot hold up the others.
inline constexpr std::size_t file_piece_bytes = 512 * 1024;

/// What a socket takes of a large file beyond what the peer's window lets it send: references to pages, no
/// buffers, so it may be more than of bytes (docs/decisions/0021). Only once it has taken a piece, which a peer
/// that does not read never lets it; lowered again for the last piece.
inline constexpr int file_unsent_bytes_max = 4 * 1024 * 1024;

/// Whether the piece that comes next lies in memory, as far as its last byte tells. True where the file
/// system cannot say.
bool file_in_memory(const FileSlice& file) noexcept;

/// Reads the slice's next bytes into its room, and waits for them. Returns how many, -ENODATA where the file ends
/// before the slice does, or another negative errno.
int copy_piece(const FileSlice& file) noexcept;

}  // namespace millrace::io
