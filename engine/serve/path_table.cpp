#include "engine/serve/path_table.hpp"

#include "engine/base/assert.hpp"

namespace millrace::serve {

PathTable::PathTable(std::size_t paths_max) {
  const unsigned bits = static_cast<unsigned>(std::bit_width(paths_max * 4 + 1));
  slots_ = std::make_unique<Slot[]>(std::size_t{1} << bits);
  mask_ = (std::size_t{1} << bits) - 1;
  shift_ = 64 - bits;
}

void PathTable::add(std::string_view path, const Leaf& leaf) {
  MR_ASSERT(path.starts_with('/'));
  MR_ASSERT(find(path) == nullptr);
  if (path == "/") {
    root_ = &leaf;
    return;
  }
  const Words words = words_of(path);
  std::size_t at = hash(words, path) >> shift_;
  while (slots_[at].leaf != nullptr) at = (at + 1) & mask_;
  slots_[at] = {words, std::string(path), &leaf};
  sizes_ |= size_bit(path.size());
}

}  // namespace millrace::serve
