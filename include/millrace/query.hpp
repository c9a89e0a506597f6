// query.hpp: the query of a URL, as a struct.
//
//   struct Search { std::string text; std::optional<int> page; std::vector<std::string> tag; };
//   MR_JSON(Search, text, page, tag)
//
//   app.get("/search", [](mr::Query<Search> query) { return query.value.text; });
//
// Each field is a parameter: text, a number, bool ("true", "false", "1", "0") or an enum as a number; a
// std::optional of these may be missing, a std::vector takes any count of them. Unknown parameters are
// ignored. A missing, repeated or malformed one is answered 400 with its name, and the handler not run.
#pragma once

#include <millrace/detail/argument.hpp>
#include <millrace/detail/query_read.hpp>
#include <millrace/json_fields.hpp>
#include <millrace/namespace.hpp>
#include <millrace/request.hpp>

#include <optional>
#include <utility>

namespace millrace {

/// An argument of a handler. T has an MR_JSON and is default-constructible; a field that may be missing
/// keeps its initial value.
template <class T>
struct Query {
  T value{};
};

namespace detail {

template <class T>
struct Argument<Query<T>> {
  static_assert(HasFields<T>, "mr::Query needs to know the fields: MR_JSON(Type, fields...)");
  static constexpr bool is_path_parameter = false;
  using Value = Query<T>;
  static std::optional<Value> extract(Request& request, Refusal& refusal) {
    std::optional<Value> in(std::in_place);
    refusal.message = read_query(request.query(), in->value, fields_of<T>);
    if (!refusal.message.empty()) in.reset();
    return in;
  }
};

}  // namespace detail
}  // namespace millrace
