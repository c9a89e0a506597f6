// Goal: the limits on the data of a form that is read part by part, exact to the byte.
#include <doctest/doctest.h>
#include <millrace/multipart.hpp>

#include <string>

using namespace millrace;
using detail::PartStep;

namespace {

std::string part(std::string_view data) {
  return "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n" + std::string(data) + "\r\n";
}

/// The bytes of data, or the refusal.
std::string read(std::string_view wire, const MultipartLimits& limits) {
  detail::Refusal refusal;
  const auto reader = detail::multipart_open("multipart/form-data; boundary=XX", limits, refusal);
  REQUIRE(reader != nullptr);
  std::size_t bytes = 0;
  for (;;) {
    const detail::PartEvent event = detail::multipart_next(*reader, wire, refusal);
    bytes += event.data.size();
    if (event.step == PartStep::need_more || event.step == PartStep::refused) break;
  }
  if (refusal.message.empty() && detail::multipart_finish(*reader, refusal)) return std::to_string(bytes);
  return std::to_string(refusal.status) + " " + refusal.message;
}

std::string open(std::string_view type) {
  detail::Refusal refusal;
  const auto reader = detail::multipart_open(type, {}, refusal);
  return reader != nullptr ? "" : std::to_string(refusal.status) + " " + refusal.message;
}

}  // namespace

TEST_CASE("multipart reader: limits on data") {
  const std::string wire = part("12345") + part("1234567") + "--XX--";
  CHECK(read(wire, {}) == "12");
  CHECK(read(wire, {.part_bytes_max = 7, .data_bytes_max = 12}) == "12");
  CHECK(read(wire, {.part_bytes_max = 6}) == "413 form: a part is too large");
  CHECK(read(wire, {.data_bytes_max = 11}) == "413 form: it is too large");
  CHECK(read(wire, {.parts_max = 1}) == "413 form: it has too many parts");
  CHECK(read(wire, {.part_head_bytes_max = 10}) == "413 form: the head of a part is too large");
  CHECK(read(part("1"), {}) == "400 form: the closing boundary is missing");
}

TEST_CASE("multipart reader: what is no form") {
  CHECK(open("multipart/form-data; boundary=XX") == "");
  CHECK(open("multipart/form-data") == "400 form: the boundary of the Content-Type is missing or not valid");
  CHECK(open("application/x-www-form-urlencoded") ==
        "415 form: expected the Content-Type multipart/form-data");
  CHECK(open("") == "415 form: expected the Content-Type multipart/form-data");
}

TEST_CASE("multipart reader: the type of a part, and none where it says none") {
  std::string_view wire =
      "--XX\r\nContent-Disposition: form-data; name=a\r\nContent-Type: image/png\r\n\r\nx\r\n"
      "--XX\r\nContent-Disposition: form-data; name=b\r\n\r\ny\r\n--XX--";
  detail::Refusal refusal;
  const auto reader = detail::multipart_open("multipart/form-data; boundary=XX", {}, refusal);
  REQUIRE(reader != nullptr);
  std::string types;
  for (;;) {
    const detail::PartEvent event = detail::multipart_next(*reader, wire, refusal);
    if (event.step == PartStep::part)
      types.append(part_name(*reader)).append("=").append(part_content_type(*reader)).append(" ");
    if (event.step == PartStep::end || event.step == PartStep::refused) break;
    REQUIRE(event.step != PartStep::need_more);
  }
  CHECK(types == "a=image/png b= ");
}
