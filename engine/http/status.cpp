#include "engine/http/status.hpp"

namespace millrace::http {

std::string_view status_line_of(unsigned status) noexcept {
#define MR_STATUS(code, reason) \
  case code: return "HTTP/1.1 " #code " " reason "\r\n"
  switch (status) {
    MR_STATUS(100, "Continue");
    MR_STATUS(101, "Switching Protocols");
    MR_STATUS(102, "Processing");
    MR_STATUS(103, "Early Hints");
    MR_STATUS(200, "OK");
    MR_STATUS(201, "Created");
    MR_STATUS(202, "Accepted");
    MR_STATUS(203, "Non-Authoritative Information");
    MR_STATUS(204, "No Content");
    MR_STATUS(205, "Reset Content");
    MR_STATUS(206, "Partial Content");
    MR_STATUS(207, "Multi-Status");
    MR_STATUS(208, "Already Reported");
    MR_STATUS(226, "IM Used");
    MR_STATUS(300, "Multiple Choices");
    MR_STATUS(301, "Moved Permanently");
    MR_STATUS(302, "Found");
    MR_STATUS(303, "See Other");
    MR_STATUS(304, "Not Modified");
    MR_STATUS(305, "Use Proxy");
    MR_STATUS(307, "Temporary Redirect");
    MR_STATUS(308, "Permanent Redirect");
    MR_STATUS(400, "Bad Request");
    MR_STATUS(401, "Unauthorized");
    MR_STATUS(402, "Payment Required");
    MR_STATUS(403, "Forbidden");
    MR_STATUS(404, "Not Found");
    MR_STATUS(405, "Method Not Allowed");
    MR_STATUS(406, "Not Acceptable");
    MR_STATUS(407, "Proxy Authentication Required");
    MR_STATUS(408, "Request Timeout");
    MR_STATUS(409, "Conflict");
    MR_STATUS(410, "Gone");
    MR_STATUS(411, "Length Required");
    MR_STATUS(412, "Precondition Failed");
    MR_STATUS(413, "Content Too Large");
    MR_STATUS(414, "URI Too Long");
    MR_STATUS(415, "Unsupported Media Type");
    MR_STATUS(416, "Range Not Satisfiable");
    MR_STATUS(417, "Expectation Failed");
    MR_STATUS(421, "Misdirected Request");
    MR_STATUS(422, "Unprocessable Content");
    MR_STATUS(423, "Locked");
    MR_STATUS(424, "Failed Dependency");
    MR_STATUS(425, "Too Early");
    MR_STATUS(426, "Upgrade Required");
    MR_STATUS(428, "Precondition Required");
    MR_STATUS(429, "Too Many Requests");
    MR_STATUS(431, "Request Header Fields Too Large");
    MR_STATUS(451, "Unavailable For Legal Reasons");
    MR_STATUS(500, "Internal Server Error");
    MR_STATUS(501, "Not Implemented");
    MR_STATUS(502, "Bad Gateway");
    MR_STATUS(503, "Service Unavailable");
    MR_STATUS(504, "Gateway Timeout");
    MR_STATUS(505, "HTTP Version Not Supported");
    MR_STATUS(506, "Variant Also Negotiates");
    MR_STATUS(507, "Insufficient Storage");
    MR_STATUS(508, "Loop Detected");
    MR_STATUS(511, "Network Authentication Required");
    default: return {};
  }
#undef MR_STATUS
}

std::string_view reason_of(unsigned status) noexcept {
  constexpr std::size_t before = std::string_view("HTTP/1.1 404 ").size();
  const std::string_view line = status_line_of(status);
  return line.empty() ? line : line.substr(before, line.size() - before - 2);
}

}  // namespace millrace::http
