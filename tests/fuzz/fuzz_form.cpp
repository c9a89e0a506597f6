// fuzz_form.cpp: what a client writes as a form, of either kind, and as the name of a file.
//
// Input       the body; its first byte chooses the kind.
// Property    a form that is accepted keeps its limits and points into its own bytes; the name of a file
//             that is stored is one component, neither empty nor hidden.
#include <millrace/form.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/assert.hpp"

namespace {

using namespace millrace;

void check_name(std::string_view sent) {
  const std::string name = safe_filename(sent);
  MR_ASSERT(!name.empty() && name.size() <= 255 && name.front() != '.');
  for (const char byte : name)
    MR_ASSERT(byte != '/' && byte != '\\' && static_cast<unsigned char>(byte) >= 0x20);
  MR_ASSERT(safe_filename(name) == name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view type =
      data[0] % 2 == 0 ? "multipart/form-data; boundary=XX" : "application/x-www-form-urlencoded";
  constexpr FormLimits limits{.fields_max = 8, .part_head_bytes_max = 128};
  FormData form;
  detail::Refusal refusal;
  if (detail::read_form(type, body, limits, form, refusal)) {
    MR_ASSERT(form.fields().size() + form.files().size() <= limits.fields_max);
    std::size_t bytes = 0;
    for (const FormData::Field& field : form.fields()) bytes += field.value.size();
    for (const FormFile& file : form.files()) {
      bytes += file.data.size();
      MR_ASSERT(file.data.empty() ||
                (file.data.data() >= body.data() && file.data.data() < body.data() + body.size()));
      check_name(file.filename);
    }
    MR_ASSERT(bytes <= body.size());
  } else {
    MR_ASSERT(refusal.status == 400 || refusal.status == 413);
    MR_ASSERT(refusal.message.starts_with("form: "));
  }
  check_name(body);
  return 0;
}
