// input.hpp: keeps received bytes that cannot be consumed yet, so that the receive buffer goes back at once.
#pragma once

#include <cstddef>

#include "engine/mem/block_pool.hpp"
#include "engine/net/connection.hpp"

namespace millrace::net {

/// Copies the bytes behind what `input` holds; its block moves, doubles or is taken as needed. False, and
/// nothing is lost, when the pool is full. A byte is copied a constant number of times on average.
bool append_input(Input& input, mem::BlockPool& pool, const char* data, std::size_t size) noexcept;

/// Drops `size` bytes from the front; gives the block back with the last one.
void consume_input(Input& input, mem::BlockPool& pool, std::size_t size) noexcept;

}  // namespace millrace::net
