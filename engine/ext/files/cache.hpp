// cache.hpp: the resources that a core keeps of one route, the ones used longest ago first to go.
//
// Owner       a thread and a route: no locks, no atomics. Destroyed with either.
// Invariants  (1) memory_bytes() <= bytes_max and files() <= files_max.
// When full   insert() drops the oldest until there is room; what is larger than all of it is not kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "engine/base/list.hpp"
#include "engine/ext/files/resource.hpp"

namespace millrace::files {

class Cache {
 public:
  Cache(std::uint64_t bytes_max, std::uint32_t files_max);
  ~Cache();
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  /// Null where it is not kept. Makes it the youngest. O(1).
  Resource* find(std::string_view name, std::size_t hash) noexcept;
  /// Takes it where it fits; there is none of that name. False: it stays the caller's.
  bool insert(Resource& resource) noexcept;
  /// Drops it.
  void erase(Resource& resource) noexcept;

  std::uint64_t memory_bytes() const noexcept { return memory_bytes_; }
  std::uint32_t files() const noexcept { return files_; }

 private:
  static constexpr std::size_t bucket_count = 1024;

  std::unique_ptr<Resource*[]> buckets_;
  List<Resource, AgeTag> by_age_;  ///< The oldest first.
  const std::uint64_t bytes_max_;
  const std::uint32_t files_max_;
  std::uint64_t memory_bytes_ = 0;
  std::uint32_t files_ = 0;
};

/// This thread's cache of the route with that number; made at its first use.
Cache& cache_of(std::uint64_t route_number, std::uint64_t bytes_max, std::uint32_t files_max);
/// Drops this thread's cache of that route.
void drop_cache(std::uint64_t route_number) noexcept;

}  // namespace millrace::files
