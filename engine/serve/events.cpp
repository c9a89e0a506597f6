// events.cpp: the lines of a server-sent event. Source: the HTML standard, section 9.2.5.
#include <millrace/events.hpp>

#include <string>

namespace millrace::detail {
namespace {

constexpr std::string_view line_ends = "\r\n";

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\n");
}

}  // namespace

const char* append_event(std::string& out, const Event& event) {
  if (event.event.find_first_of(line_ends) != std::string_view::npos) {
    return "the type of a server-sent event is one line";
  }
  if (event.id.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
    return "the id of a server-sent event is one line without NUL";
  }
  if (!event.event.empty()) append_line(out, "event", event.event);
  if (!event.id.empty()) append_line(out, "id", event.id);
  if (event.retry)
    append_line(out, "retry", std::to_string(event.retry->count() > 0 ? event.retry->count() : 0));
  // Each line of the data is a line of its own, whatever ends it.
  std::string_view rest = event.data;
  for (bool more = true; more;) {
    const std::size_t end = rest.find_first_of(line_ends);
    append_line(out, "data", rest.substr(0, end));
    more = end != std::string_view::npos;
    if (more) rest.remove_prefix(end + (rest.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  out += "\n";
  return nullptr;
}

}  // namespace millrace::detail
