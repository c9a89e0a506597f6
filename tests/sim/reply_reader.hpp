// reply_reader.hpp: reads replies as a suspicious client does; written for the tests, from RFC 9112, and
// sharing nothing with the engine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::test {

struct Reply {
  unsigned status = 0;
  std::string body;          ///< Decoded.
  std::uint64_t length = 0;  ///< As declared; of HEAD's reply too.
  bool framed = false;       ///< It says how long its body is.
  bool close = false;        ///< It says that the connection ends behind it.
  std::string fields;        ///< "Name: value\r\n"...
  std::string trailers;
};

enum class Read : std::uint8_t { whole, cut, bad };

/// Takes one reply off the front of `wire`, which stays as it is where the reply is cut. `to_head`: the
/// reply to HEAD, which has no body. bad: `wrong` says what no server may send. O(size of the reply).
Read take_reply(std::string_view& wire, bool to_head, Reply& reply, std::string& wrong);

/// The content of a whole gzip stream (RFC 1952) with nothing behind it; false for anything else.
bool gunzip(std::string_view coded, std::string& content);

}  // namespace millrace::test
