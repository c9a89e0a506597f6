// form.hpp: what an HTML form sends, urlencoded or as multipart/form-data, with the whole body in memory.
// Large uploads: multipart.hpp.
//
//   struct Profile { std::string name; std::optional<int> age; bool news = false; mr::FormFile picture; };
//   MR_JSON(Profile, name, age, news, picture)
//
//   app.post("/profile", [](mr::Form<Profile> form) { return form.value.name; });
//   app.post("/any", [](mr::Request& request) { return std::string(request.form().get("name").value_or("")); });
//
// A body that is no form is answered 415, a malformed one 400, one over a limit 413; all say why.
#pragma once

#include <millrace/detail/argument.hpp>
#include <millrace/detail/query_read.hpp>
#include <millrace/http_error.hpp>
#include <millrace/json_fields.hpp>
#include <millrace/namespace.hpp>
#include <millrace/request.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace millrace {

/// Beside these, the body as a whole has ServerOptions::body_bytes.
struct FormLimits {
  std::uint32_t fields_max = 1000;               ///< Fields and files together: 413.
  std::uint32_t part_head_bytes_max = 8 * 1024;  ///< Of one part of a multipart form: 413.
};

/// A file of a multipart form. Also a type for a field of mr::Form<T>.
struct FormFile {
  std::string name;          ///< Of the form's field.
  std::string filename;      ///< As the client sent it: for people to read. To store: safe_filename().
  std::string content_type;  ///< As the client sent it, which proves nothing; empty: none.
  std::string_view data;     ///< In the request's body: valid until the handler, or its coroutine, ends.
};

/// The last component of a filename that a client sent, fit to be stored: separators of both kinds and what
/// is before them, control characters, leading dots, and what shells and other systems dislike are gone; at
/// most 255 bytes, the extension kept. Never empty: "file".
std::string safe_filename(std::string_view sent);

/// A form that was read. Also an argument of a handler.
class FormData {
 public:
  struct Field {
    std::string name;
    std::string_view value;  ///< Decoded.
  };

  /// The first field of that name. Views last as long as the FormData and the request do.
  std::optional<std::string_view> get(std::string_view name) const noexcept {
    for (const Field& field : fields_) {
      if (field.name == name) return field.value;
    }
    return std::nullopt;
  }
  /// The first file of that name, or null.
  const FormFile* file(std::string_view name) const noexcept {
    for (const FormFile& file : files_) {
      if (file.name == name) return &file;
    }
    return nullptr;
  }
  /// In the order they were sent.
  const std::vector<Field>& fields() const noexcept { return fields_; }
  /// In the order they were sent. Where nobody chose a file, browsers send an empty one without a name: it
  /// is left out.
  const std::vector<FormFile>& files() const& noexcept { return files_; }
  std::vector<FormFile> files() && noexcept { return std::move(files_); }

  /// The engine's own; not for applications.
  struct Access;

 private:
  std::vector<Field> fields_;
  std::vector<FormFile> files_;
  std::unique_ptr<char[]> decoded_;  ///< What the fields of an urlencoded form are views of.
};

/// An argument of a handler: the form, read into the fields of T, as mr::Query<T> reads a query. Beyond it:
///   bool                 may be missing (keeps its initial value); "on" is true: a checkbox.
///   std::optional        of anything but text: an empty text counts as missing: an input left blank.
///   mr::FormFile         a file; std::optional and std::vector of it too.
template <class T>
struct Form {
  T value{};
};

namespace detail {

/// False, and why, where the body is no form within the limits.
bool read_form(std::string_view content_type, std::string_view body, const FormLimits& limits, FormData& out,
               Refusal& refusal);

/// Walks the fields of a form, then its files.
class FormPairs {
 public:
  static constexpr std::string_view source = "form";
  template <class T>
  static constexpr bool optional = may_be_missing<T> || std::is_same_v<T, bool>;

  explicit FormPairs(const FormData& form) noexcept : form_(form) {}
  bool next() noexcept { return ++next_ <= form_.fields().size() + form_.files().size(); }
  bool malformed() const noexcept { return false; }
  const std::string& name() const noexcept { return file() ? file()->name : text().name; }

  template <class T>
  std::string read_into(T& out) const {
    if constexpr (is_vector<T>) {
      typename T::value_type value{};
      std::string problem = read_into(value);
      if (problem.empty()) out.push_back(std::move(value));
      return problem;
    } else if constexpr (is_optional<T>) {
      using Value = typename T::value_type;
      constexpr bool blank_is_missing =
          !std::is_same_v<Value, std::string> && !std::is_same_v<Value, FormFile>;
      if (blank_is_missing && !file() && text().value.empty()) return {};
      return read_into(out.emplace());
    } else if constexpr (std::is_same_v<T, FormFile>) {
      if (!file()) return "expected a file";
      out = *file();
      return {};
    } else {
      if (file()) return "expected a text, not a file";
      if constexpr (std::is_same_v<T, bool>) {
        if (text().value == "on") {
          out = true;
          return {};
        }
      }
      return read_text(text().value, out);
    }
  }

 private:
  const FormData::Field& text() const noexcept { return form_.fields()[next_ - 1]; }
  const FormFile* file() const noexcept {
    const std::size_t fields = form_.fields().size();
    return next_ > fields ? &form_.files()[next_ - 1 - fields] : nullptr;
  }

  const FormData& form_;
  std::size_t next_ = 0;  ///< One more than the index of the current one.
};

}  // namespace detail

// The engine itself is built without exceptions.
#ifdef __cpp_exceptions
namespace detail {

template <>
struct Argument<FormData> {
  static constexpr bool is_path_parameter = false;
  static constexpr bool reads_body = true;
  using Value = FormData;
  static std::optional<Value> extract(Request& request, Refusal& refusal) {
    std::optional<Value> form(std::in_place);
    if (!body_is_plain(request, refusal) ||
        !read_form(request.header("content-type").value_or(""), request.body(), {}, *form, refusal))
      form.reset();
    return form;
  }
};

template <class T>
struct Argument<Form<T>> {
  static_assert(HasFields<T>, "mr::Form needs to know the fields: MR_JSON(Type, fields...)");
  static constexpr bool is_path_parameter = false;
  static constexpr bool reads_body = true;
  using Value = Form<T>;
  static std::optional<Value> extract(Request& request, Refusal& refusal) {
    std::optional<Value> in;
    if (const std::optional<FormData> form = Argument<FormData>::extract(request, refusal)) {
      FormPairs pairs(*form);
      refusal.message = read_pairs(pairs, in.emplace().value, fields_of<T>);
      if (!refusal.message.empty()) in.reset();
    }
    return in;
  }
};

}  // namespace detail

inline FormData Request::form(const FormLimits& limits) const {
  FormData form;
  detail::Refusal refusal;
  if (!detail::body_is_plain(*this, refusal) ||
      !detail::read_form(header("content-type").value_or(""), body(), limits, form, refusal))
    throw HttpError(refusal.status, std::move(refusal.message));
  return form;
}
inline FormData Request::form() const { return form(FormLimits{}); }
inline std::vector<FormFile> Request::files() const { return form().files(); }
#endif

}  // namespace millrace
