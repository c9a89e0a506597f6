#include "tests/unit/http/head_cases.hpp"

namespace test {

namespace {

using millrace::Errc;
using namespace std::string_view_literals;

#define HOST "Host: a\r\n"
#define LINE "GET / HTTP/1.1\r\n"

constexpr HeadCase cases[] = {
    // Good heads that every kernel accepts by itself.
    {"shortest", "GET / HTTP/1.1\r\n\r\n"},
    {"one field", LINE HOST "\r\n"},
    {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n"},
    {"head", "HEAD /x HTTP/1.1\r\n" HOST "\r\n"},
    {"post", "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n"},
    {"put", "PUT /x HTTP/1.1\r\n" HOST "\r\n"},
    {"delete", "DELETE /x HTTP/1.1\r\n" HOST "\r\n"},
    {"patch", "PATCH /x HTTP/1.1\r\n" HOST "\r\n"},
    {"options", "OPTIONS /x HTTP/1.1\r\n" HOST "\r\n"},
    {"trace", "TRACE /x HTTP/1.1\r\n" HOST "\r\n"},
    {"empty value", LINE "X:\r\nY: \r\nZ:\t \r\n" HOST "\r\n"},
    {"no space", LINE "Host:a\r\n\r\n"},
    {"white space", LINE "hoSt:\ta \t\r\nX:   b c   \r\n\r\n"},
    {"colons in a value", LINE HOST "X: a:b::c\r\nY::\r\n\r\n"},
    {"visible", LINE HOST "X: !\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~\r\n\r\n"},
    {"obs-text", LINE HOST "X: \x80\xff\xc3\xa9\r\n\r\n"},
    {"0xa0 is no white space", LINE HOST "X: \xa0 a\x85\r\n\r\n"},
    {"every token byte", LINE HOST "!#$%&'*+-.^_`|~09AZaz: x\r\n\r\n"},
    {"target bytes", "GET /a-._~!$&'()*+,;=:@%41/?b=/?:@%zz HTTP/1.1\r\n" HOST "\r\n"},
    {"raw query bytes", "GET /?a[b]={c}|^`\\ HTTP/1.1\r\n" HOST "\r\n"},
    {"name over a block's end", LINE "Host: 4567890123456789012345678901234567\r\nX-Long-Name: v\r\n\r\n"},
    {"CRLF over a block's end",
     LINE "Host: 45678901234567890123456789012345678901234567890123456\r\nA: b\r\n\r\n"},
    {"end over a block's end", LINE "Host: 4567890123456789012345678901234567890123456789012345\r\n\r\n"},
    {"long target",
     "GET /3456789012345678901234567890123456789012345678901234567890123456789012345678 HTTP/1.1\r\n" HOST
     "\r\n"},
    {"two blocks of value",
     LINE HOST "Cookie: a=0123456789012345678901234567890123456789012345678901234567890123;"
               " b=0123456789012345678901234567890123456789012345678901234567890123\r\n\r\n"},
    // Good heads that the kernels leave to the strict path.
    {"empty line before", "\r\n" LINE HOST "\r\n", Errc::ok, 0, By::strict},
    {"eight empty lines", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n" LINE HOST "\r\n", Errc::ok, 0, By::strict},
    {"unknown method", "BREW / HTTP/1.1\r\n" HOST "\r\n", Errc::ok, 0, By::strict},
    {"lower-case method", "get / HTTP/1.1\r\n" HOST "\r\n", Errc::ok, 0, By::strict},
    {"method of odd tokens", "X!#$%&'*+-.^_`|~9 / HTTP/1.1\r\n" HOST "\r\n", Errc::ok, 0, By::strict},
    {"longer than a known method", "GETX / HTTP/1.1\r\n" HOST "\r\n", Errc::ok, 0, By::strict},
    {"HTTP/1.2", "GET / HTTP/1.2\r\n" HOST "\r\n", Errc::ok, 0, By::strict},
    {"HTTP/1.9", "GET / HTTP/1.9\r\n" HOST "\r\n", Errc::ok, 0, By::strict},
    {"absolute", "GET http://b/x HTTP/1.1\r\n" HOST "\r\n", Errc::ok, 0, By::strict},
    {"absolute, odd case", "GET hTTps://b:8/x?y HTTP/1.1\r\n" HOST "\r\n", Errc::ok, 0, By::strict},
    {"absolute, no path", "GET http://b HTTP/1.1\r\n" HOST "\r\n", Errc::ok, 0, By::strict},
    {"absolute, query only", "GET http://b?x=1 HTTP/1.1\r\n" HOST "\r\n", Errc::ok, 0, By::strict},
    {"absolute, IPv6", "GET http://[::1]:80/ HTTP/1.1\r\n" HOST "\r\n", Errc::ok, 0, By::strict},
    {"asterisk", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", Errc::ok, 0, By::strict},
    {"connect", "CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n", Errc::ok, 0, By::strict},
    {"connect IPv6", "CONNECT [::1]:443 HTTP/1.1\r\n" HOST "\r\n", Errc::ok, 0, By::strict},
    {"framing is not judged here",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\nTransfer-Encoding: x\r\n\r\n"},
    {"twice a length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\ncontent-length: 6\r\nX: y\r\n\r\n"},
    // Empty lines.
    {"nine empty lines", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n" LINE HOST "\r\n", Errc::bad_request_line,
     400},
    {"bare LF before", "\n" LINE HOST "\r\n", Errc::bad_line_end, 400},
    {"bare CR before", "\r" LINE HOST "\r\n", Errc::bad_line_end, 400},
    // Method.
    {"leading space", " GET / HTTP/1.1\r\n" HOST "\r\n", Errc::bad_method, 400},
    {"no method", " / HTTP/1.1\r\n" HOST "\r\n", Errc::bad_method, 400},
    {"tab for a space", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", Errc::bad_method, 400},
    {"quote in a method", "G=\":<>(e),[T];?\" / HTTP/1.1\r\n" HOST "\r\n", Errc::bad_method, 400},
    {"NUL in a method", "G\0T / HTTP/1.1\r\n" HOST "\r\n"sv, Errc::bad_method, 400},
    {"NUL first", "\0GET / HTTP/1.1\r\n" HOST "\r\n"sv, Errc::bad_method, 400},
    {"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"sv, Errc::bad_method, 400},
    {"SOCKS", "\x05\x01\x00"sv, Errc::bad_method, 400},
    {"method of 65 bytes",
     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n\r\n",
     Errc::method_unknown, 501},
    // Target.
    {"HTTP/0.9", "GET /\r\n", Errc::bad_target, 400},
    {"two spaces", "GET  / HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    {"no target", "GET  HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    {"LF in the line", "GET /\nHTTP/1.1\r\n\r\n", Errc::bad_target, 400},
    {"no slash", "GET foo HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    {"bang", "GET ! HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    {"authority for GET", "GET b:80 HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    {"other scheme", "GET ftp://b/ HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    {"cut scheme", "GET http:/b HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    {"path for CONNECT", "CONNECT / HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    {"asterisk for GET", "GET * HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    {"more than an asterisk", "OPTIONS */test HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    {"fragment", "GET /a#frag HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    {"fragment in a query", "GET /a?b#frag HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    {"brackets in a path", "GET /[a] HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    {"quotes in a path", "GET /\"<>{}|\\^` HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    {"quote in a query", "GET /?\" HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    {"raw UTF-8", "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    {"NUL in the target", "GET /\0 HTTP/1.1\r\n" HOST "\r\n"sv, Errc::bad_target, 400},
    {"DEL in the target", "GET /\x7f HTTP/1.1\r\n" HOST "\r\n", Errc::bad_target, 400},
    // Version.
    {"a word more", "GET /a b HTTP/1.1\r\n" HOST "\r\n", Errc::bad_version, 400},
    {"lower-case name", "GET / http/1.1\r\n" HOST "\r\n", Errc::bad_version, 400},
    {"two digits", "GET / HTTP/1.32\r\n" HOST "\r\n", Errc::bad_version, 400},
    {"major of two digits", "GET / HTTP/01.1\r\n" HOST "\r\n", Errc::bad_version, 400},
    {"huge", "GET / HTTP/4294967295.255\r\n" HOST "\r\n", Errc::bad_version, 400},
    {"comma", "GET / HTTP/1,1\r\n" HOST "\r\n", Errc::bad_version, 400},
    {"CR inside", "GET / HTTP/\r\r1.1\r\n" HOST "\r\n", Errc::bad_version, 400},
    {"trailing space", "GET / HTTP/1.1 \r\n" HOST "\r\n", Errc::bad_version, 400},
    {"HTTP/2.0", "GET / HTTP/2.0\r\n" HOST "\r\n", Errc::version_unsupported, 505},
    {"HTTP/0.9 by name", "GET / HTTP/0.9\r\n" HOST "\r\n", Errc::version_unsupported, 505},
    {"HTTP/9.9", "GET / HTTP/9.9\r\n" HOST "\r\n", Errc::version_unsupported, 505},
    {"h2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Errc::version_unsupported, 505},
    {"h2 preface with 1.1", "PRI * HTTP/1.1\r\n\r\n", Errc::bad_target, 400},
    {"bare LF behind the version", "GET / HTTP/1.1\n" HOST "\n", Errc::bad_version, 400},
    {"bare CR behind the version", "GET / HTTP/1.1\rHost: a\r\n\r\n", Errc::bad_line_end, 400},
    // Field lines.
    {"space before a colon", "POST / HTTP/1.1\r\n" HOST "Content-Length : 5\r\n\r\n", Errc::bad_field_name,
     400},
    {"tab before a colon", LINE "X\t: y\r\n\r\n", Errc::bad_field_name, 400},
    {"space before the first field", LINE " Foo: x\r\n" HOST "\r\n", Errc::obsolete_fold, 400},
    {"fold", LINE HOST "Foo: a\r\n b\r\n\r\n", Errc::obsolete_fold, 400},
    {"fold by tab", LINE HOST "Foo: a\r\n\tb\r\n\r\n", Errc::obsolete_fold, 400},
    {"no colon", LINE HOST "Foo\r\n\r\n", Errc::bad_field_name, 400},
    {"no colon, last", LINE HOST "Foo: b\r\nBar\r\n\r\n", Errc::bad_field_name, 400},
    {"empty name", LINE HOST ": v\r\n\r\n", Errc::bad_field_name, 400},
    {"split name", LINE "Transfer-\r\nEncoding: chunked\r\n\r\n", Errc::bad_field_name, 400},
    {"0x80 in a name", LINE HOST "X\x80Y: v\r\n\r\n", Errc::bad_field_name, 400},
    {"parenthesis in a name", LINE HOST "X(Y: v\r\n\r\n", Errc::bad_field_name, 400},
    {"NUL in a name", LINE HOST "X\0Y: v\r\n\r\n"sv, Errc::bad_field_name, 400},
    {"NUL in a value", LINE HOST "X: a\0b\r\n\r\n"sv, Errc::bad_field_value, 400},
    {"0x0b in a value",
     LINE HOST "X: a\x0b"
               "b\r\n\r\n",
     Errc::bad_field_value, 400},
    {"0x7f in a value", LINE HOST "X: a\x7f\r\n\r\n", Errc::bad_field_value, 400},
    {"bare CR in a value", LINE HOST "X: y\rTransfer-Encoding: chunked\r\n\r\n", Errc::bad_line_end, 400},
    {"two CRs", LINE HOST "X: y\r\r\n\r\n", Errc::bad_line_end, 400},
    {"bare LF in a value", LINE HOST "X: y\nY: z\r\n\r\n", Errc::bad_line_end, 400},
    {"bare LF at the end", LINE HOST "\n", Errc::bad_line_end, 400},
    {"bare CR at the end", LINE HOST "\rX", Errc::bad_line_end, 400},
};
#undef HOST
#undef LINE

}  // namespace

std::span<const HeadCase> head_cases() { return cases; }

}  // namespace test
