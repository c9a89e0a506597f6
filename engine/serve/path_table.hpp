// path_table.hpp: finds a path that is known beforehand with one hash and, nearly always, one comparison.
//
// Built once, never changed. At most a quarter of the slots are taken, and a path that finds its slot
// taken goes to the next; only the application adds paths, so no peer can lengthen such a row.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::serve {

struct Leaf;

class PathTable {
 public:
  /// paths_max: how often add() is called at most.
  explicit PathTable(std::size_t paths_max);
  /// Each path once; it starts with a slash.
  void add(std::string_view path, const Leaf& leaf);

  /// Null where it is not there.
  const Leaf* find(std::string_view path) const noexcept {
    if (path.size() == 1) return path[0] == '/' ? root_ : nullptr;  // What is asked for most.
    if ((sizes_ & size_bit(path.size())) == 0) return nullptr;
    const Words words = words_of(path);
    for (std::size_t at = hash(words, path) >> shift_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.words.first == words.first && slot.words.last == words.last &&
          slot.path.size() == path.size()) {
        if (path.size() <= sizeof(Words) || slot.path == path) return slot.leaf;
      }
      if (slot.leaf == nullptr) return nullptr;
    }
  }

 private:
  /// The first and the last bytes; with the size, all there is to know of a path of up to 16 bytes.
  struct Words {
    std::uint64_t first = 0, last = 0;
  };
  struct Slot {
    Words words;
    std::string path;
    const Leaf* leaf = nullptr;  ///< Null: free, and the path is empty.
  };

  template <class Word>
  static std::uint64_t load(const char* from) noexcept {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
  }
  static Words words_of(std::string_view path) noexcept {
    const char* const at = path.data();
    const std::size_t size = path.size();
    if (size >= 8) return {load<std::uint64_t>(at), load<std::uint64_t>(at + size - 8)};
    if (size >= 4) return {load<std::uint32_t>(at), load<std::uint32_t>(at + size - 4)};
    if (size == 0) return {};
    const auto byte = [at](std::size_t index) {
      return std::uint64_t{static_cast<unsigned char>(at[index])};
    };
    return {byte(0), byte(size / 2) << 8 | byte(size - 1)};
  }
  static std::uint64_t hash(const Words& words, std::string_view path) noexcept {
    constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15;  // 2^64 / the golden ratio.
    std::uint64_t mixed = (words.first ^ std::rotl(words.last, 29) ^ path.size()) * odd;
    if (path.size() > sizeof(Words)) mixed ^= load<std::uint64_t>(path.data() + path.size() / 2 - 4);
    return (mixed ^ (mixed >> 32) ^ words.last) * odd;
  }

  static constexpr std::uint64_t size_bit(std::size_t size) noexcept {
    return std::uint64_t{1} << (size < 63 ? size : 63);
  }

  const Leaf* root_ = nullptr;  ///< Of "/".
  std::uint64_t sizes_ = 0;     ///< Bit n: a path of n bytes is there; 63 stands for all above.
  std::unique_ptr<Slot[]> slots_;
  std::size_t mask_;
  unsigned shift_;
};

}  // namespace millrace::serve
