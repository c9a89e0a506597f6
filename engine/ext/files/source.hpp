// source.hpp: the part of a file that a reply carries, where it is read in parts as the connection has room.
#pragma once

#include <cstdint>

#include "engine/net/file_part.hpp"
#include "engine/proto/exchange.hpp"

namespace millrace::files {

/// A part of a file, as a reply's body. From the free list of this thread; release() on the same thread
/// gives it back. Null without memory. A file that became shorter or was rewritten since it was opened ends
/// in an Error: the length, and the validators, were promised already.
proto::BodySource* make_source(net::FilePart part) noexcept;

/// Sources that were made and not yet released on this thread.
std::uint32_t sources_live() noexcept;

}  // namespace millrace::files
