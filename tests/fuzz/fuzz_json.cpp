// fuzz_json.cpp: the two readers of JSON, and what is read and written again.
//
// Property    simdjson refuses a text exactly where the scan for the message finds a fault; a refusal
//             points into the text; what was read, written and read again is the same.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/assert.hpp"
#include "engine/serve/json_scan.hpp"
#include "tests/unit/serve/json_test.hpp"

namespace {

struct Item {
  std::int64_t id = 0;
  std::string name;
  std::optional<int> count = 5;
};
MR_JSON(Item, id, name, count)

struct Order {
  std::vector<Item> items;
  std::map<std::string, double> prices;
  bool open = false;
};
MR_JSON(Order, items, prices, open)

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string padded = text + std::string(64, '\0');
  detail::JsonNode root;
  detail::JsonFault parsed, scanned;
  const bool accepted = detail::json_parse({padded.data(), size}, root, parsed);
  const bool faulty = serve::find_json_fault({padded.data(), size}, scanned);
  MR_ASSERT(!(accepted && faulty));

  Order order;
  const std::string refused = test::read(text, order);
  if (!refused.empty()) {
    MR_ASSERT(refused.starts_with("JSON: "));
    return 0;
  }
  MR_ASSERT(accepted);
  const std::string written = test::write(order);
  Order again;
  MR_ASSERT(test::read(written, again).empty());
  MR_ASSERT(test::write(again) == written);
  return 0;
}
