// sim_app.hpp: the application of a simulated core: what it answers is a function of the request.
//
//   GET  /n/{text}             the text
//   GET  /close/{text}         the text, and closes the connection
//   GET  /later/{ms}/{text}    the text, path and X-Name, from a coroutine that sleeps
//   GET  /forever/{text}       nothing: a coroutine that sleeps until its client has left
//   GET  /yield/{n}/{text}     the text, from a coroutine that lets the others run n times
//   GET  /letters/{bytes}      that many letters, at once
//   GET  /source/{bytes}       that many letters, from a body source
//   GET  /throw/{text}         500 with the text, by an error page
//   GET  /say?what=...         the decoded query parameter, and the cookie `c`
//   GET  /fixed                a reply made at start
//   POST /echo                 the body, and the trailer X-Sum
//   POST /echo-later/{ms}      the same, from a coroutine that sleeps
//   GET  /stream/{how}/{bytes}/{part}   that many letters, written in parts; how: chunks, trailer, length, slow
//   GET  /stream/endless/...   letters without an end
//   GET  /broken/{bytes}       as many in chunks, and then no end
//   GET  /file/{first}/{bytes} that part of a file of letters
//   POST /parts                as /echo, read in parts by a slow reader
//   POST /both                 the body, streamed back as it comes
//   POST /drop                 "dropped", and does not read the body
//   POST /form                 "name=data;" or "name(filename)=data;" of each part, read in parts by a slow reader;
//                              passes over those named "skipped"
//   GET  /coded/whole/{bytes}          that much noise, compressed for who asks for it
//   GET  /coded/source/{bytes}         the same, from a body source
//   GET  /coded/stream/{bytes}/{part}  the same, written in parts
//   POST /sum                  {"sum": a + b} of {"a": ..., "b": ...}
//   WS   /ws/echo              each message back
//   WS   /ws/room/{client}     each message to everybody in the room, of every core: "number:client:message"
//   WS   /ws/push/{count}/{bytes}   so many messages of so many letters, then the end
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/proto/exchange.hpp"

namespace millrace::test {

inline constexpr unsigned sim_clients_max = 6;

/// What was said in the room.
struct Published {
  std::size_t client = 0;
  std::string text;
};

/// What the application counts. One world runs at a time.
struct Live {
  static constexpr std::size_t not_subscribed = ~std::size_t{0};
  Live() noexcept { subscribed.fill(not_subscribed); }

  std::uint64_t coroutines = 0;  ///< Now.
  std::uint64_t sources = 0;     ///< Now.
  std::uint64_t never = 0;       ///< Requests for /n/never, which stand behind the end of a connection.
  std::array<std::uint64_t, sim_clients_max> started{};  ///< Handlers, by the field X-Client.
  std::vector<Published> published;                      ///< In the room, in this order.
  std::array<std::size_t, sim_clients_max> subscribed;   ///< By client: from which of these on it hears all.
  std::uint64_t unheard = 0;                             ///< Messages that another core had no room for.
};
Live& live_counts() noexcept;

/// The application behind its router: made once, used by every world.
proto::RequestHandler& sim_app();

/// a, b, c ... z, a ...
std::string letters(std::uint64_t size);
/// Letters that hardly repeat: compressed they are more than half as long.
std::string noise(std::uint64_t size);

}  // namespace millrace::test
