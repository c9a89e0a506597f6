#include "engine/proto/ws/utf8.hpp"

#include <simdjson.h>

namespace millrace::ws {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) noexcept {
  return static_cast<unsigned char>(text[at]);
}

/// Bytes of the character that a lead byte begins; 0 for a byte that begins none of several bytes.
std::size_t length_by_lead(unsigned lead) noexcept {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

/// Size of the cut character at the end; 0 where there is none.
std::size_t cut_at_end(std::string_view text) noexcept {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const unsigned byte = byte_at(text, text.size() - back);
    if ((byte & 0xc0) == 0x80) continue;
    return length_by_lead(byte) > back ? back : 0;
  }
  return 0;
}

/// What is excluded shows in the second byte: overlong forms, surrogates, and what is past U+10FFFF.
bool can_become_a_character(std::string_view cut) noexcept {
  if (cut.size() < 2) return true;
  const unsigned second = byte_at(cut, 1);
  switch (byte_at(cut, 0)) {
    case 0xe0: return second >= 0xa0;
    case 0xed: return second < 0xa0;
    case 0xf0: return second >= 0x90;
    case 0xf4: return second < 0x90;
    default: return true;
  }
}

}  // namespace

std::size_t check_utf8(std::string_view text, std::size_t checked) noexcept {
  const std::string_view added = text.substr(checked);
  const std::size_t cut = cut_at_end(added);
  const std::size_t whole = added.size() - cut;
  if (!can_become_a_character(added.substr(whole))) return not_utf8;
  if (!simdjson::validate_utf8(added.data(), whole)) return not_utf8;
  return checked + whole;
}

}  // namespace millrace::ws
