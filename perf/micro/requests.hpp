// requests.hpp: what the micro benchmarks parse.
#pragma once

#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// The shapes: the smallest request a load generator sends, one of curl's, a browser's first, a
/// browser's with cookies, and one that carries a token and a trace. Then two that have, line by line, the
/// lengths of those that other parsers publish figures for: llhttp's (499 bytes) and picohttpparser's (703).
enum class Shape { bytes_35, bytes_120, bytes_450, bytes_499, bytes_700, bytes_703, bytes_2000 };
inline constexpr Shape shapes[] = {Shape::bytes_35,  Shape::bytes_120, Shape::bytes_450, Shape::bytes_499,
                                   Shape::bytes_700, Shape::bytes_703, Shape::bytes_2000};
inline constexpr int shape_last = static_cast<int>(std::size(shapes)) - 1;

const char* name_of(Shape shape);
/// One complete request without a body.
std::string request_of(Shape shape);
/// `count` requests of a shape that all differ in path, host and length.
std::vector<std::string> varied_requests(Shape shape, unsigned count);

/// Bytes with the padding a kernel may read.
class Padded {
 public:
  explicit Padded(std::string_view text);
  const char* data() const { return bytes_.get(); }
  char* data() { return bytes_.get(); }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

/// Makes the compiler forget what it knows of the pointer. (Google Benchmark 1.7's DoNotOptimize() of a
/// variable lets GCC 12 keep it in two places, and read the one that was not written.)
inline void hide(const char*& pointer) { asm volatile("" : "+r"(pointer)); }

}  // namespace bench
