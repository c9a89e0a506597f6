// json.hpp: JSON in and out of a handler.
//
//   struct Item { std::int64_t id; std::string name; };
//   MR_JSON(Item, id, name)
//
//   app.post("/items", [](mr::Json<Item> in) { return mr::json(in.value).status(201); });
//
// A body that does not fit is answered before the handler runs: 400 for what is no JSON, a wrong type
// or a missing field, with the path and the byte; 415 for a Content-Type that is not JSON's, and for
// a Content-Encoding.
#pragma once

#include <millrace/detail/argument.hpp>
#include <millrace/detail/json_read.hpp>
#include <millrace/detail/json_write.hpp>
#include <millrace/json_fields.hpp>
#include <millrace/namespace.hpp>
#include <millrace/request.hpp>
#include <millrace/response.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace {

/// The value as a response of application/json, which may be changed further. Types: see MR_JSON.
template <class T>
Response json(const T& value) {
  return Response().bytes(detail::json_text(value), "application/json");
}

/// An argument of a handler: the request's body, read into a T. T must be default-constructible.
template <class T>
struct Json {
  T value{};
};

namespace detail {

/// False, and why, where the body is no T. At least 64 bytes behind it must be readable, as they are
/// behind every Request::body().
template <class T>
bool read_json_body(std::string_view content_type, std::string_view body, T& out, Refusal& refusal) {
  if (!is_json_type(content_type)) {
    refusal = {415, "JSON: expected the Content-Type application/json"};
    return false;
  }
  JsonNode root;
  JsonFault fault;
  if (json_parse(body, root, fault) && read_json(root, out, fault)) return true;
  refusal = {fault.status, json_fault_text(body, fault)};
  return false;
}

template <class T>
struct Argument<Json<T>> {
  static constexpr bool is_path_parameter = false;
  static constexpr bool reads_body = true;
  using Value = Json<T>;
  static std::optional<Value> extract(Request& request, Refusal& refusal) {
    std::optional<Value> in(std::in_place);
    if (!body_is_plain(request, refusal) ||
        !read_json_body(request.header("content-type").value_or(""), request.body(), in->value, refusal))
      in.reset();
    return in;
  }
};

}  // namespace detail
}  // namespace millrace
