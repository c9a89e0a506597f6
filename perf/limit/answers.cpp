#include "perf/limit/answers.hpp"

#include "perf/common/arguments.hpp"

namespace millrace::perf {
namespace {

// "Hello world!" under a head that is filled up to the size asked for.
std::string one_answer(std::uint32_t size_bytes) {
  const std::string start = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nServer: ";
  const std::string end = "\r\n\r\nHello world!";
  if (size_bytes <= start.size() + end.size())
    fail_usage("--response-bytes must be at least " + std::to_string(start.size() + end.size() + 1));
  return start + std::string(size_bytes - start.size() - end.size(), 'n') + end;
}

}  // namespace

Answers::Answers(const Shape& shape) : shape_(shape) {
  if (shape.request_bytes == 0 || shape.answers == 0)
    fail_usage("--request-bytes and --answers are at least 1");
  const std::string answer = one_answer(shape.response_bytes);
  while (repeated_.size() < send_bytes_max + answer.size()) repeated_ += answer;
}

}  // namespace millrace::perf
