// echo_reader.hpp: what a WebSocket server sends on one connection: the answer to the opening handshake, then
// the echoes of the messages that were sent, each held to its message byte by byte.
//
//   bytes -> [EchoReader] -> opened, whole echoes, pings, the end
//
// An echo may come in fragments; extensions were not offered, so none may be used. Source: RFC 6455.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/proto/ws/frame.hpp"

namespace millrace::bench {

enum class EchoStep : std::uint8_t { need_more, opened, message, ping, close };

struct EchoTaken {
  EchoStep step = EchoStep::need_more;
  std::size_t bytes = 0;  ///< Eaten, of those given.
  /// What is wrong. With `message` the echo is another; else the bytes make no sense: give up the connection.
  std::string fault = {};
};

class EchoReader {
 public:
  /// accept  the value of Sec-WebSocket-Accept that answers our key; must outlive the reader.
  explicit EchoReader(std::string_view accept) noexcept : accept_(accept) {}

  /// Takes bytes to the end of one step at most; size > 0. wanted: the message whose echo is due next.
  EchoTaken take(const char* bytes, std::size_t size, std::string_view wanted);

  bool opened() const noexcept { return opened_; }
  /// Some bytes of something were taken, and not all.
  bool inside() const noexcept { return !carry_.empty() || in_frame_ || in_message_; }
  /// Of the latest ping, until the next take().
  std::string_view ping() const noexcept { return control_; }
  /// Ready for another connection.
  void reset() noexcept;

 private:
  EchoTaken take_opening(const char* bytes, std::size_t size);
  EchoTaken take_header(const char* bytes, std::size_t size);
  EchoTaken take_payload(const char* bytes, std::size_t size, std::string_view wanted);
  EchoTaken finish_frame(std::size_t bytes, std::string_view wanted);

  std::string_view accept_;
  std::string carry_;    ///< The front of the opening's head, or of a frame's header.
  std::string control_;  ///< The payload of a control frame.
  ws::FrameHeader frame_;
  std::uint64_t frame_bytes_ = 0;    ///< Of the frame's payload, so far.
  std::uint64_t message_bytes_ = 0;  ///< Of the message, so far.
  bool opened_ = false;
  bool in_frame_ = false;
  bool in_message_ = false;
  bool wrong_ = false;  ///< The message is not its echo.
};

}  // namespace millrace::bench
