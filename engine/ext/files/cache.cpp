#include "engine/ext/files/cache.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/base/assert.hpp"

namespace millrace::files {
namespace {

/// A thread serves few routes of files: they are looked for one by one.
thread_local std::vector<std::pair<std::uint64_t, std::unique_ptr<Cache>>> caches;

}  // namespace

Cache::Cache(std::uint64_t bytes_max, std::uint32_t files_max)
    : buckets_(std::make_unique<Resource*[]>(bucket_count)), bytes_max_(bytes_max), files_max_(files_max) {}

Cache::~Cache() {
  while (!by_age_.empty()) erase(by_age_.front());
  MR_ASSERT(memory_bytes_ == 0 && files_ == 0);
}

Resource* Cache::find(std::string_view name, std::size_t hash) noexcept {
  for (Resource* at = buckets_[hash % bucket_count]; at != nullptr; at = at->next_in_bucket) {
    if (at->hash != hash || at->name != name) continue;
    at->ListLink<AgeTag>::unlink();
    by_age_.push_back(*at);
    return at;
  }
  return nullptr;
}

bool Cache::insert(Resource& resource) noexcept {
  const std::uint64_t bytes = resource.memory_bytes();
  const std::uint32_t files = resource.files();
  if (bytes > bytes_max_ || files > files_max_) return false;
  while (memory_bytes_ + bytes > bytes_max_ || files_ + files > files_max_) erase(by_age_.front());
  memory_bytes_ += bytes;
  files_ += files;
  by_age_.push_back(resource);
  resource.next_in_bucket = std::exchange(buckets_[resource.hash % bucket_count], &resource);
  return true;
}

void Cache::erase(Resource& resource) noexcept {
  Resource** at = &buckets_[resource.hash % bucket_count];
  while (*at != &resource) at = &(*at)->next_in_bucket;
  *at = resource.next_in_bucket;
  memory_bytes_ -= resource.memory_bytes();
  files_ -= resource.files();
  resource.ListLink<AgeTag>::unlink();
  destroy(&resource);
}

Cache& cache_of(std::uint64_t route_number, std::uint64_t bytes_max, std::uint32_t files_max) {
  for (auto& [number, cache] : caches) {
    if (number == route_number) return *cache;
  }
  return *caches.emplace_back(route_number, std::make_unique<Cache>(bytes_max, files_max)).second;
}

void drop_cache(std::uint64_t route_number) noexcept {
  std::erase_if(caches, [route_number](const auto& entry) { return entry.first == route_number; });
}

}  // namespace millrace::files
