// number_table.hpp: a T for each small number (a descriptor, a slot), made when it is first asked for.
//
// Owner       one backend; no locks. What at() gave never moves, and is kept until the end.
// When full   make() gives null: there is no memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>

#include "engine/mem/allocate.hpp"

namespace millrace::io {

template <class T>
class NumberTable {
 public:
  static constexpr std::uint32_t chunk_items = 256;

  NumberTable() = default;
  NumberTable(const NumberTable&) = delete;
  NumberTable& operator=(const NumberTable&) = delete;
  ~NumberTable() {
    for (std::uint32_t i = 0; i < chunks_; ++i) mem::release(directory_[i]);
    mem::release(directory_);
  }

  /// Null where nothing was made near that number.
  T* find(std::uint32_t number) noexcept {
    const std::uint32_t chunk = number / chunk_items;
    if (chunk >= chunks_ || directory_[chunk] == nullptr) [[unlikely]]
      return nullptr;
    return directory_[chunk] + number % chunk_items;
  }

  /// As find(), but makes it where it is not there yet.
  T* make(std::uint32_t number) noexcept {
    T* found = find(number);
    return found != nullptr || !add_chunk(number / chunk_items) ? found : find(number);
  }

 private:
  static_assert(std::is_trivially_destructible_v<T>);

  bool add_chunk(std::uint32_t chunk) noexcept {
    if (chunk >= chunks_ && !grow(chunk + 1)) return false;
    auto* items = static_cast<T*>(mem::allocate(chunk_items * sizeof(T)));
    if (items == nullptr) return false;
    for (std::uint32_t i = 0; i < chunk_items; ++i) new (items + i) T();
    directory_[chunk] = items;
    return true;
  }

  // To twice the size at least, so that a table that grows one by one is copied a few times only.
  bool grow(std::uint32_t wanted) noexcept {
    const std::uint32_t count = wanted > 2 * chunks_ ? wanted : 2 * chunks_;
    auto** directory = static_cast<T**>(mem::allocate(count * sizeof(T*)));
    if (directory == nullptr) return false;
    for (std::uint32_t i = 0; i < count; ++i) directory[i] = i < chunks_ ? directory_[i] : nullptr;
    mem::release(directory_);
    directory_ = directory;
    chunks_ = count;
    return true;
  }

  T** directory_ = nullptr;
  std::uint32_t chunks_ = 0;  ///< Entries of the directory; those not made yet are null.
};

}  // namespace millrace::io
