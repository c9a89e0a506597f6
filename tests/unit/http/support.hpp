// support.hpp: what the tests of engine/http share: padded bytes, a head with its table, kernels.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/http/head_parser.hpp"
#include "engine/mem/block_pool.hpp"

namespace test {

/// A copy that ends exactly padding_bytes before its allocation does, so that a read past what a
/// kernel may read is seen by the address sanitizer. The padding holds bytes that would continue a head.
class Padded {
 public:
  explicit Padded(std::string_view text)
      : size_(text.size()), bytes_(new char[text.size() + millrace::mem::padding_bytes]) {
    std::memcpy(bytes_.get(), text.data(), text.size());
    for (std::size_t i = 0; i < millrace::mem::padding_bytes; ++i)
      bytes_[size_ + i] = "\r\n\r\nA: b\r\n\r\n"[i % 13];
  }
  char* data() { return bytes_.get(); }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

/// A Head with room for its fields.
struct HeadStore {
  explicit HeadStore(std::uint16_t fields_max = 100) : table(fields_max) {
    head.fields = table.data();
    head.fields_max = fields_max;
  }
  HeadStore(const HeadStore&) = delete;
  HeadStore& operator=(const HeadStore&) = delete;
  std::vector<millrace::http::Field> table;
  millrace::http::Head head;
};

/// Every kernel this processor can run.
inline std::vector<millrace::http::Isa> usable_isas() {
  std::vector<millrace::http::Isa> isas;
  for (unsigned i = 0; i < millrace::http::isa_count; ++i) {
    const auto isa = static_cast<millrace::http::Isa>(i);
    if (millrace::http::kernel_for(isa) != nullptr) isas.push_back(isa);
  }
  return isas;
}

/// splitmix64: the same sequence on every machine for a seed.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }

 private:
  std::uint64_t state_;
};

}  // namespace test
