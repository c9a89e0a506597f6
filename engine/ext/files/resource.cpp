#include "engine/ext/files/resource.hpp"

#include <cstring>
#include <new>

#include "engine/base/assert.hpp"
#include "engine/mem/allocate.hpp"

namespace millrace::files {

std::size_t Resource::memory_bytes() const noexcept {
  std::size_t bytes = sizeof(Resource) + name.size();
  for (const Representation* form : forms) bytes += form != nullptr ? form->memory_bytes : 0;
  return bytes;
}

std::uint32_t Resource::files() const noexcept {
  std::uint32_t count = 0;
  for (const Representation* form : forms) count += form != nullptr && form->file ? 1 : 0;
  return count;
}

Resource* make_resource(std::string_view name, std::size_t hash) noexcept {
  void* memory = mem::allocate(sizeof(Resource) + name.size());
  if (memory == nullptr) return nullptr;
  auto* resource = new (memory) Resource;
  char* text = static_cast<char*>(memory) + sizeof(Resource);
  if (!name.empty()) std::memcpy(text, name.data(), name.size());
  resource->name = {text, name.size()};
  resource->hash = hash;
  return resource;
}

void destroy(Resource* resource) noexcept {
  MR_ASSERT(!resource->linked());
  for (Representation* form : resource->forms) {
    if (form != nullptr) destroy(form);
  }
  resource->~Resource();
  mem::release(resource);
}

bool same_files(const Resource& resource, const OpenedForms& opened) noexcept {
  for (std::size_t coding = 0; coding < opened.size(); ++coding) {
    const Representation* form = resource.forms[coding];
    if ((form != nullptr) != static_cast<bool>(opened[coding])) return false;
    if (form != nullptr && form->facts != opened[coding].facts()) return false;
  }
  return true;
}

const Representation& choose(const Resource& resource, const http::AcceptedCodings& accepted) noexcept {
  const Representation* best = resource.forms[0];
  std::uint16_t best_quality = accepted.quality(http::Coding::identity);
  for (std::size_t coding = 1; coding < resource.forms.size(); ++coding) {
    const Representation* form = resource.forms[coding];
    if (form == nullptr || form->facts.size_bytes >= resource.forms[0]->facts.size_bytes) continue;
    const std::uint16_t quality = accepted.quality(static_cast<http::Coding>(coding));
    const bool better = quality > best_quality ||
                        (quality == best_quality && form->facts.size_bytes < best->facts.size_bytes);
    if (quality == 0 || !better) continue;
    best = form;
    best_quality = quality;
  }
  return *best;
}

}  // namespace millrace::files
