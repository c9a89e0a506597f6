// resource.hpp: what one name beneath a root answers: the file, and its compressed forms.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/list.hpp"
#include "engine/ext/files/representation.hpp"
#include "engine/http/accept_encoding.hpp"
#include "engine/net/file_part.hpp"

namespace millrace::files {

struct AgeTag;

/// Owner: a Cache, or for the time of one request whoever made it.
struct Resource : ListLink<AgeTag> {
  /// By http::Coding. The identity form is there; of the others those that exist.
  std::array<Representation*, http::coding_count> forms = {};
  std::string_view name;  ///< Behind the struct.
  std::size_t hash = 0;
  Resource* next_in_bucket = nullptr;
  std::int64_t checked_seconds = 0;  ///< When the files were last looked at.

  bool varies() const noexcept { return forms[1] != nullptr || forms[2] != nullptr || forms[3] != nullptr; }
  std::size_t memory_bytes() const noexcept;
  /// Descriptors that it holds.
  std::uint32_t files() const noexcept;
};

/// The files that make a resource, opened: null where there is none.
using OpenedForms = std::array<net::FileRef, http::coding_count>;

/// Without forms yet; null without memory.
Resource* make_resource(std::string_view name, std::size_t hash) noexcept;
/// With its forms.
void destroy(Resource* resource) noexcept;
/// Whether it was made of these very files, unchanged.
bool same_files(const Resource& resource, const OpenedForms& opened) noexcept;

/// The form that the client likes best; of those it likes alike, the shortest. Never a compressed one that
/// is not shorter than the file itself.
const Representation& choose(const Resource& resource, const http::AcceptedCodings& accepted) noexcept;

}  // namespace millrace::files
