// reply.cpp: changes to a reply that is a view of somebody else's bytes: what is changed is copied first.
#include <millrace/reply.hpp>
#include <millrace/response.hpp>

#include <algorithm>
#include <utility>

#include "engine/proto/exchange.hpp"
#include "engine/serve/field_rules.hpp"
#include "engine/serve/scheduler.hpp"

namespace millrace {
namespace {

/// The fields of the reply that is being changed. One a thread, because one reply at a time is: whoever
/// passes a reply on is done with it. It grows to the longest there was, and stays.
thread_local std::string changed_fields;

/// Cuts the first line off.
std::string_view take_line(std::string_view& lines) noexcept {
  const std::size_t end = lines.find("\r\n") + 2;
  const std::string_view line = lines.substr(0, end);
  lines.remove_prefix(end);
  return line;
}

bool is_named(std::string_view line, std::string_view name) noexcept {
  return line.size() > name.size() && line[name.size()] == ':' &&
         http::equal_ignoring_case(line.substr(0, name.size()), name);
}

}  // namespace

unsigned Reply::status() const noexcept { return view_.status; }
std::string_view Reply::content_type() const noexcept { return view_.content_type; }
std::uint64_t Reply::body_bytes() const noexcept {
  if (streamed_ || view_.source_bytes == proto::length_unknown) return 0;
  return view_.source != nullptr ? view_.source_bytes : view_.body.size();
}
std::string_view Reply::body() const noexcept { return view_.body; }
bool Reply::body_in_memory() const noexcept { return view_.source == nullptr && !streamed_; }

// The first problem is the one to tell.
void Reply::refuse(const char* problem) noexcept {
  if (problem_ == nullptr) problem_ = problem;
}

void Reply::fail(const char* why) noexcept { refuse(why); }

Reply& Reply::status(unsigned code) {
  if (code < 200 || code > 599) {
    refuse("the response has a status outside 200 to 599");
  } else {
    view_.status = static_cast<std::uint16_t>(code);
  }
  return *this;
}

Reply& Reply::content_type(std::string_view type) {
  if (!serve::valid_value(type)) {
    refuse("the response has a content type with a control character");
  } else if (type.size() + view_.fields.size() > Response::fields_bytes_max) {
    refuse(serve::too_many_fields);
  } else {
    type_ = type;
    view_.content_type = type_;
  }
  return *this;
}

std::optional<std::string_view> Reply::header(std::string_view name) const noexcept {
  if (http::equal_ignoring_case(name, "content-type") && !view_.content_type.empty()) return content_type();
  for (std::string_view rest = view_.fields; !rest.empty();) {
    const std::string_view line = take_line(rest);
    if (!is_named(line, name)) continue;
    const std::size_t value = std::min(line.find_first_not_of(' ', name.size() + 1), line.size() - 2);
    return line.substr(value, line.size() - 2 - value);
  }
  return std::nullopt;
}

Reply& Reply::header(std::string_view name, std::string_view value) {
  const auto is = [name](std::string_view other) { return http::equal_ignoring_case(name, other); };
  if (const char* problem = serve::field_problem(name, value)) {
    refuse(problem);
  } else if (is("content-type")) {
    content_type(value);
  } else if (is("connection")) {
    view_.close = true;
  } else if (view_.content_type.size() + view_.fields.size() + name.size() + value.size() + 4 >
             Response::fields_bytes_max) {
    refuse(serve::too_many_fields);
  } else {
    if (is("date")) view_.date = false;
    view_.fields = own_fields().append(name).append(": ").append(value).append("\r\n");
  }
  return *this;
}

Reply& Reply::set_header(std::string_view name, std::string_view value) {
  drop_lines(name);
  return header(name, value);
}

Reply& Reply::remove_header(std::string_view name) {
  if (http::equal_ignoring_case(name, "content-type")) view_.content_type = {};
  drop_lines(name);
  return *this;
}

Reply& Reply::body(std::string text) {
  if (streamed_) {
    refuse("middleware cannot replace the body of a streamed reply");
    return *this;
  }
  if (view_.source != nullptr) {
    view_.source->release();
    view_.source = nullptr;
  }
  body_ = std::move(text);
  view_.body = body_;
  return *this;
}

void Reply::drop_lines(std::string_view name) {
  if (!header(name)) return;
  std::string& fields = own_fields();
  for (std::size_t at = 0; at < fields.size();) {
    std::string_view rest = std::string_view(fields).substr(at);
    const std::string_view line = take_line(rest);
    if (is_named(line, name)) {
      fields.erase(at, line.size());
    } else {
      at += line.size();
    }
  }
  view_.fields = fields;
}

std::string& Reply::own_fields() {
  const bool owned = view_.fields.data() == changed_fields.data();
  if (owned) {
    changed_fields.resize(view_.fields.size());
  } else {
    changed_fields.assign(view_.fields);
  }
  return changed_fields;
}

std::uint64_t Reply::elapsed_ns() const noexcept {
  return started_ns_ != 0 ? serve::Scheduler::current()->now() - started_ns_ : 0;
}

}  // namespace millrace
