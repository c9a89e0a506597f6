// slab.hpp: objects of one type in numbered slots, each with a generation.
//
//   Token(generation, slot) -> find() -> the object, or null when the slot was used again since
//
// Owner       one per Core; no locks, no atomics.
// Invariants  a slot's generation rises each time it is freed, so a late completion is recognised.
// When full   make() gives null; the caller refuses (accept pauses, 503).
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "engine/base/assert.hpp"
#include "engine/mem/allocate.hpp"

namespace millrace::mem {

/// Slots are made in chunks of `chunk_slots` as they are first needed and never move, so a slab of a
/// hundred thousand costs nothing until it is used; a chunk is kept once made.
template <class T>
class Slab {
 public:
  static constexpr std::uint32_t generation_mask = 0xff'ffff;  // A Token has room for 24 bits.
  static constexpr std::uint32_t chunk_slots = 256;

  explicit Slab(std::uint32_t slots_max) noexcept : slots_max_(slots_max) {
    const std::size_t chunks = (slots_max + chunk_slots - 1) / chunk_slots;
    chunks_ = static_cast<Slot**>(allocate(chunks * sizeof(Slot*)));
    MR_ASSERT(chunks_ != nullptr);
  }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() {
    MR_ASSERT(live_ == 0);
    for (std::uint32_t chunk = 0; chunk * chunk_slots < slots_made_; ++chunk) release(chunks_[chunk]);
    release(chunks_);
  }

  /// A new T built from `arguments`; null when slots_max are live or memory is out.
  template <class... Arguments>
  T* make(Arguments&&... arguments) noexcept {
    if (free_ == none) [[unlikely]] {
      if (!add_chunk()) return nullptr;
    }
    const std::uint32_t number = free_;
    Slot& slot = at(number);
    free_ = slot.next_free;
    slot.next_free = live;
    ++live_;
    return new (slot.bytes) T(std::forward<Arguments>(arguments)...);
  }

  void destroy(T& object) noexcept {
    Slot& slot = slot_of(object);
    MR_ASSERT(slot.next_free == live);
    object.~T();
    slot.generation = (slot.generation + 1) & generation_mask;
    slot.next_free = free_;
    free_ = slot.number;
    --live_;
  }

  /// Null when that slot is free or has been used again since.
  T* find(std::uint32_t number, std::uint32_t generation) noexcept {
    if (number >= slots_made_) [[unlikely]]
      return nullptr;
    Slot& slot = at(number);
    if (slot.next_free != live || slot.generation != generation) [[unlikely]]
      return nullptr;
    return object_in(slot);
  }

  /// Whoever lives in that slot now; null when it is free.
  T* at_slot(std::uint32_t number) noexcept {
    if (number >= slots_made_) return nullptr;
    Slot& slot = at(number);
    return slot.next_free == live ? object_in(slot) : nullptr;
  }

  std::uint32_t number_of(const T& object) const noexcept { return slot_of(object).number; }
  std::uint32_t generation_of(const T& object) const noexcept { return slot_of(object).generation; }
  std::uint32_t live_count() const noexcept { return live_; }
  std::uint32_t slots_max() const noexcept { return slots_max_; }
  static constexpr std::size_t slot_bytes() noexcept { return sizeof(Slot); }

  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::uint32_t number = 0; number < slots_made_; ++number) {
      Slot& slot = at(number);
      if (slot.next_free == live) visit(*object_in(slot));
    }
  }

 private:
  static constexpr std::uint32_t none = ~0u;
  static constexpr std::uint32_t live = ~0u - 1;
  struct Slot {
    alignas(T) unsigned char bytes[sizeof(T)];  // First, so that an object's address is its slot's.
    std::uint32_t number;
    std::uint32_t generation;
    std::uint32_t next_free;
  };

  static T* object_in(Slot& slot) noexcept { return std::launder(reinterpret_cast<T*>(slot.bytes)); }
  static Slot& slot_of(T& object) noexcept { return reinterpret_cast<Slot&>(object); }
  static const Slot& slot_of(const T& object) noexcept { return reinterpret_cast<const Slot&>(object); }
  Slot& at(std::uint32_t number) noexcept { return chunks_[number / chunk_slots][number % chunk_slots]; }

  bool add_chunk() noexcept {
    if (slots_made_ >= slots_max_) return false;
    const std::uint32_t left = slots_max_ - slots_made_;
    const std::uint32_t count = left < chunk_slots ? left : chunk_slots;
    auto* chunk = static_cast<Slot*>(allocate(count * sizeof(Slot)));
    if (chunk == nullptr) return false;
    chunks_[slots_made_ / chunk_slots] = chunk;
    for (std::uint32_t i = count; i-- > 0;) {  // Backwards, so that low numbers are used first.
      chunk[i].number = slots_made_ + i;
      chunk[i].generation = 0;
      chunk[i].next_free = free_;
      free_ = slots_made_ + i;
    }
    slots_made_ += count;
    return true;
  }

  Slot** chunks_ = nullptr;
  std::uint32_t slots_max_;
  std::uint32_t slots_made_ = 0;
  std::uint32_t free_ = none;
  std::uint32_t live_ = 0;
};

}  // namespace millrace::mem
