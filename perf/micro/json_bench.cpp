// Question: what does it cost to read a JSON body into a struct, and to write one, beside doing it by hand
// with simdjson's on-demand reader, RapidJSON, and nlohmann's library?
//
// Every reader fills the same struct, and checks the types, as a handler would need it.
#include <benchmark/benchmark.h>
#include <simdjson.h>
#include <millrace/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

#if __has_include(<rapidjson/document.h>)
#define MR_HAVE_RAPIDJSON 1
#define RAPIDJSON_SSE2
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#endif
#if __has_include(<nlohmann/json.hpp>)
#define MR_HAVE_NLOHMANN 1
#include <nlohmann/json.hpp>
#endif

namespace bench {

struct Item {
  std::int64_t id = 0;
  std::string name;
  double price = 0;
  bool stock = false;
  std::vector<std::string> tags;
};
MR_JSON(Item, id, name, price, stock, tags)

struct Order {
  std::string customer;
  std::vector<Item> items;
};
MR_JSON(Order, customer, items)

#ifdef MR_HAVE_NLOHMANN
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Item, id, name, price, stock, tags)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, customer, items)
#endif

namespace {

/// 0: one item, some 150 bytes; 1: a hundred, some 11 KB.
Order order_of(std::int64_t size) {
  Order order{.customer = "J\xc3\xb6rg M\xc3\xbcller", .items = {}};
  const std::int64_t count = size == 0 ? 1 : 100;
  for (std::int64_t i = 0; i < count; ++i) {
    order.items.push_back({.id = 1000 + i * 7919,
                           .name = "A thing of some kind, number " + std::to_string(i),
                           .price = 0.99 + static_cast<double>(i) * 1.37,
                           .stock = i % 3 != 0,
                           .tags = {"new", "kitchen", "blue \"sky\""}});
  }
  return order;
}

std::string text_of(std::int64_t size) {
  std::string text;
  millrace::detail::append_json(text, order_of(size));
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  return text;
}

bool read_millrace(const std::string& text, Order& out) {
  millrace::detail::Refusal refusal;
  return millrace::detail::read_json_body("application/json", text, out, refusal);
}

bool read_on_demand(const std::string& text, Order& out) {
  namespace od = simdjson::ondemand;
  static od::parser parser;
  od::document document;
  if (parser.iterate(text.data(), text.size(), text.capacity()).get(document) != simdjson::SUCCESS)
    return false;
  std::string_view view;
  if (document["customer"].get(view) != simdjson::SUCCESS) return false;
  out.customer = view;
  od::array items;
  if (document["items"].get(items) != simdjson::SUCCESS) return false;
  for (auto element : items) {
    od::object object;
    if (element.get(object) != simdjson::SUCCESS) return false;
    Item& item = out.items.emplace_back();
    if (object["id"].get(item.id) != simdjson::SUCCESS) return false;
    if (object["name"].get(view) != simdjson::SUCCESS) return false;
    item.name = view;
    if (object["price"].get(item.price) != simdjson::SUCCESS) return false;
    if (object["stock"].get(item.stock) != simdjson::SUCCESS) return false;
    od::array tags;
    if (object["tags"].get(tags) != simdjson::SUCCESS) return false;
    for (auto tag : tags) {
      if (tag.get(view) != simdjson::SUCCESS) return false;
      item.tags.emplace_back(view);
    }
  }
  return true;
}

#ifdef MR_HAVE_RAPIDJSON
bool read_rapidjson(const std::string& text, Order& out) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  if (document.HasParseError() || !document.IsObject()) return false;
  const auto customer = document.FindMember("customer");
  const auto items = document.FindMember("items");
  if (customer == document.MemberEnd() || !customer->value.IsString()) return false;
  if (items == document.MemberEnd() || !items->value.IsArray()) return false;
  out.customer.assign(customer->value.GetString(), customer->value.GetStringLength());
  for (const auto& element : items->value.GetArray()) {
    if (!element.IsObject()) return false;
    const auto id = element.FindMember("id"), name = element.FindMember("name");
    const auto price = element.FindMember("price"), stock = element.FindMember("stock");
    const auto tags = element.FindMember("tags"), end = element.MemberEnd();
    if (id == end || name == end || price == end || stock == end || tags == end) return false;
    if (!id->value.IsInt64() || !name->value.IsString() || !price->value.IsNumber()) return false;
    if (!stock->value.IsBool() || !tags->value.IsArray()) return false;
    Item& item = out.items.emplace_back();
    item.id = id->value.GetInt64();
    item.name.assign(name->value.GetString(), name->value.GetStringLength());
    item.price = price->value.GetDouble();
    item.stock = stock->value.GetBool();
    for (const auto& tag : tags->value.GetArray()) {
      if (!tag.IsString()) return false;
      item.tags.emplace_back(tag.GetString(), tag.GetStringLength());
    }
  }
  return true;
}

std::string write_rapidjson(const Order& order) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  const auto text = [&writer](const std::string& value) {
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  writer.StartObject();
  writer.Key("customer");
  text(order.customer);
  writer.Key("items");
  writer.StartArray();
  for (const Item& item : order.items) {
    writer.StartObject();
    writer.Key("id");
    writer.Int64(item.id);
    writer.Key("name");
    text(item.name);
    writer.Key("price");
    writer.Double(item.price);
    writer.Key("stock");
    writer.Bool(item.stock);
    writer.Key("tags");
    writer.StartArray();
    for (const std::string& tag : item.tags) text(tag);
    writer.EndArray();
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}
#endif

#ifdef MR_HAVE_NLOHMANN
bool read_nlohmann(const std::string& text, Order& out) {
  out = nlohmann::json::parse(text).get<Order>();
  return true;
}
std::string write_nlohmann(const Order& order) { return nlohmann::json(order).dump(); }
#endif

std::string write_millrace(const Order& order) {
  return millrace::detail::json_text(order);  // As mr::json() does.
}

void read(benchmark::State& state, bool (*reader)(const std::string&, Order&)) {
  const std::string text = text_of(state.range(0));
  for (auto _ : state) {
    Order order;
    if (!reader(text, order) || order.items.size() != (state.range(0) == 0 ? 1 : 100)) {
      return state.SkipWithError("a good text was refused");
    }
    benchmark::DoNotOptimize(order);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void write(benchmark::State& state, std::string (*writer)(const Order&)) {
  const Order order = order_of(state.range(0));
  std::size_t bytes = 0;
  for (auto _ : state) {
    std::string text = writer(order);
    benchmark::DoNotOptimize(text.data());
    bytes = text.size();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}

BENCHMARK_CAPTURE(read, millrace, read_millrace)->Name("json_read/millrace")->DenseRange(0, 1);
BENCHMARK_CAPTURE(read, on_demand, read_on_demand)->Name("json_read/simdjson_on_demand")->DenseRange(0, 1);
BENCHMARK_CAPTURE(write, millrace, write_millrace)->Name("json_write/millrace")->DenseRange(0, 1);
#ifdef MR_HAVE_RAPIDJSON
BENCHMARK_CAPTURE(read, rapidjson, read_rapidjson)->Name("json_read/rapidjson")->DenseRange(0, 1);
BENCHMARK_CAPTURE(write, rapidjson, write_rapidjson)->Name("json_write/rapidjson")->DenseRange(0, 1);
#endif
#ifdef MR_HAVE_NLOHMANN
BENCHMARK_CAPTURE(read, nlohmann, read_nlohmann)->Name("json_read/nlohmann")->DenseRange(0, 1);
BENCHMARK_CAPTURE(write, nlohmann, write_nlohmann)->Name("json_write/nlohmann")->DenseRange(0, 1);
#endif

}  // namespace
}  // namespace bench
