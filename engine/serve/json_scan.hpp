// json_scan.hpp: finds places in a JSON text, for the message of a refusal.
//
// simdjson says that a text is wrong, not where; and its nodes do not know where they came from. So
// what was refused is read once more, byte by byte. The two must agree on what is JSON: a test
// compares them on texts with random faults.
#pragma once

#include <millrace/detail/json_node.hpp>

#include <cstddef>
#include <string_view>

namespace millrace::serve {

/// The first byte that no JSON text goes on with after what is before it (text.size() where the text
/// ends too early), or the start of the number, escape or value that is beyond a limit. Sets the
/// problem, the offset and the steps of `fault`, with names as they stand in the text, unescaped.
/// False where there is no fault. O(text.size()).
bool find_json_fault(std::string_view text, detail::JsonFault& fault);

/// Where the value that the steps lead to begins, in a text without a fault. O(text.size()).
std::size_t json_offset(std::string_view text, const detail::JsonFault& fault);

}  // namespace millrace::serve
