// source.hpp: the part of a file that a reply carries, read when the connection has room.
#pragma once

#include <cstdint>

#include "engine/ext/files/root.hpp"
#include "engine/proto/exchange.hpp"

namespace millrace::files {

/// Bytes `offset` to `offset + size_bytes` of a file, as a reply's body. From the free list of this
/// thread; release() on the same thread gives it back. Null without memory; then `file` is untouched.
/// A file that became shorter since ends in an Error: the length was promised already.
proto::BodySource* make_source(File&& file, std::uint64_t offset, std::uint64_t size_bytes) noexcept;

/// Sources that were made and not yet released on this thread.
std::uint32_t sources_live() noexcept;

}  // namespace millrace::files
