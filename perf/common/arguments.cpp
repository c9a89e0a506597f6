#include "perf/common/arguments.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace millrace::perf {
namespace {

template <class Number>
Number parse(std::string_view name, const std::string& text) {
  Number value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size())
    fail_usage(std::string(name) + " takes a number, not '" + text + "'");
  return value;
}

}  // namespace

void fail_usage(const std::string& sentence) {
  std::fprintf(stderr, "%s\n", sentence.c_str());
  std::exit(2);
}

void fail(const std::string& sentence) {
  std::fprintf(stderr, "%s\n", sentence.c_str());
  std::exit(1);
}

bool Arguments::flag(std::string_view name) {
  const auto found = std::find(words_.begin(), words_.end(), name);
  if (found == words_.end()) return false;
  words_.erase(found);
  return true;
}

bool Arguments::take(std::string_view name, std::string& value) {
  const auto found = std::find(words_.begin(), words_.end(), name);
  if (found == words_.end()) return false;
  if (found + 1 == words_.end()) fail_usage(std::string(name) + " needs a value");
  value = *(found + 1);
  words_.erase(found, found + 2);
  return true;
}

std::uint64_t Arguments::number(std::string_view name, std::uint64_t otherwise) {
  std::string value;
  return take(name, value) ? parse<std::uint64_t>(name, value) : otherwise;
}

double Arguments::seconds(std::string_view name, double otherwise) {
  std::string value;
  return take(name, value) ? parse<double>(name, value) : otherwise;
}

std::string Arguments::text(std::string_view name, std::string otherwise) {
  take(name, otherwise);
  return otherwise;
}

void Arguments::finish() const {
  if (!words_.empty()) fail_usage("unknown argument '" + words_.front() + "'");
}

}  // namespace millrace::perf
