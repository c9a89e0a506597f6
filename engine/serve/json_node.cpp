// Parsed JSON on simdjson's document model.
#include <simdjson.h>
#include <millrace/detail/json_node.hpp>

#include <bit>

#include "engine/mem/block_pool.hpp"
#include "engine/serve/json_scan.hpp"

namespace millrace::detail {

namespace dom = simdjson::dom;

// JsonNode reads the tape as doc/tape.md of simdjson 1.0 to 3.x describes it; unit tests of reading hold it to that.
// A request body lies in a block or in a receive buffer: simdjson may load past its end.
static_assert(simdjson::SIMDJSON_PADDING == mem::padding_bytes);
namespace {

/// simdjson counts the containers around a value; an empty container is one level less for it.
constexpr std::size_t simdjson_depth = json_depth_max + 1;

/// A parser keeps about 14 bytes for each byte of the largest text it has seen. One that has seen more
/// than this is given up before the next ordinary text, so that one upload does not stay for ever.
constexpr std::size_t kept_text_bytes_max = 1 << 20;

/// One for each thread; texts of ordinary size are parsed without any allocation.
dom::parser& parser_for(std::size_t text_bytes) noexcept {
  thread_local dom::parser parser;
  if (parser.capacity() > kept_text_bytes_max && text_bytes <= kept_text_bytes_max) parser = dom::parser();
  return parser;
}

}  // namespace

bool json_parse(std::string_view text, JsonNode& root, JsonFault& fault) noexcept {
  dom::parser& parser = parser_for(text.size());
  simdjson::error_code error = simdjson::SUCCESS;
  if (parser.max_depth() != simdjson_depth || parser.capacity() < text.size()) {
    error = parser.allocate(std::bit_ceil(text.size() + 1), simdjson_depth);
  }
  if (error == simdjson::SUCCESS) error = parser.parse(text.data(), text.size(), false).error();
  if (error == simdjson::SUCCESS) {
    root = {parser.doc.tape.get(), parser.doc.string_buf.get(), 1};  // The word before is the root's own.
    return true;
  }
  if (serve::find_json_fault(text, fault)) return false;
  fault.problem = simdjson::error_message(error);
  if (error == simdjson::MEMALLOC) fault.status = 503;
  return false;
}

}  // namespace millrace::detail
