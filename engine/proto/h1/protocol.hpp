// protocol.hpp: HTTP/1.1 over connections, one object a core. Source: RFC 9112.
//
//   on_bytes -> HeadParser -> framing -> body -> RequestHandler::route/start -> reply -> Connection::output
//
// Owner       one per Core; the sessions are in the connections, the exchanges of coroutines in a slab.
// Invariants  (1) replies leave in request order, whatever order handlers finish in.
//             (2) no request is read behind one that was refused, or that closes the connection.
//             (3) a provided buffer is never held longer than on_bytes(): what is not consumed, and
//                 the request of a coroutine, is copied into blocks of the pool.
// When full   past pipeline_max or output_max reading stops; without memory or exchanges: 503, close.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "engine/http/chunked.hpp"
#include "engine/http/head_parser.hpp"
#include "engine/http/known_host.hpp"
#include "engine/mem/block_pool.hpp"
#include "engine/mem/slab.hpp"
#include "engine/net/protocol.hpp"
#include "engine/proto/exchange.hpp"
#include "engine/proto/h1/date_line.hpp"
#include "engine/proto/h1/session.hpp"
#include "engine/proto/tasks.hpp"

namespace millrace::h1 {

struct Options {
  http::Isa isa = http::Isa::scalar;
  http::HeadLimits head;
  std::uint64_t body_bytes_max = 8ull << 20;
  std::uint32_t pipeline_max = 128;
  std::uint32_t exchanges_max = 65'536;
  std::uint32_t output_bytes_max = 256 * 1024;
  std::uint32_t upload_bytes_max = 64 * 1024;  ///< Of a body that its handler has not read: reading stops.
  TimeNs header_ns = 10 * ns_per_s;
  TimeNs body_idle_ns = 30 * ns_per_s;
  TimeNs write_idle_ns = 30 * ns_per_s;
  TimeNs keepalive_ns = 75 * ns_per_s;
  WallClock wall_clock = system_wall_clock;
};

struct Counters {
  std::uint64_t requests = 0;
  std::uint64_t refused = 0;  ///< Requests answered by the protocol itself: 400, 413...
  std::uint64_t timeouts = 0;
  std::uint64_t exchanges_cancelled = 0;
  std::array<std::uint64_t, 6> replies{};  ///< Begun, by the first digit of their status.
};

class Protocol final : public net::Protocol, public proto::ReplySink, public proto::Streams {
 public:
  /// Of a streamed reply that waits for an earlier one: its writer is suspended past it.
  static constexpr std::size_t stream_ahead_bytes = 16 * 1024;
  /// Of a body that nobody reads any more: as much is read for the connection's sake, else it closes.
  static constexpr std::size_t discard_bytes_max = 64 * 1024;

  Protocol(const Options& options, net::Carrier& carrier, mem::BlockPool& pool,
           proto::RequestHandler& handler, proto::Tasks& tasks) noexcept;
  ~Protocol();

  void on_open(net::Connection& connection) noexcept override;
  void on_bytes(net::Connection& connection, char* data, std::size_t size) noexcept override;
  void on_end(net::Connection& connection) noexcept override;
  void on_sent(net::Connection& connection) noexcept override;
  void on_deadline(net::Connection& connection) noexcept override;
  void on_drain(net::Connection& connection) noexcept override;
  void on_closed(net::Connection& connection) noexcept override;

  void reply(proto::Exchange& exchange, const proto::ReplyView& view) noexcept override;
  void reply_fixed(proto::Exchange& exchange, const proto::FixedReply& fixed) noexcept override;
  void reply_source(proto::Exchange& exchange, const proto::FixedReply& fixed, proto::BodySource& source,
                    std::uint64_t source_bytes) noexcept override;
  void reply_plain(proto::Exchange& exchange, std::string_view body) noexcept override;
  void finished(proto::Exchange& exchange) noexcept override;
  const net::Transport* transport(const proto::Exchange& exchange) const noexcept override;

  void begin(proto::Exchange& exchange, const proto::ReplyView& head) noexcept override;
  bool push(proto::Exchange& exchange) noexcept override;
  bool trailer(proto::Exchange& exchange, std::string_view line) noexcept override;
  void end(proto::Exchange& exchange) noexcept override;
  void cut(proto::Exchange& exchange) noexcept override;
  proto::BodyPart next(proto::Exchange& exchange) noexcept override;
  Errc collect(proto::Exchange& exchange) noexcept override;
  bool switch_protocols(proto::Exchange& exchange, std::string_view fields, proto::Successor& successor,
                        void* context) noexcept override;

  /// Once a turn, before the first on_bytes().
  void on_turn(TimeNs now) noexcept { date_.refresh(now); }

  const Counters& counters() const noexcept { return counters_; }
  std::uint32_t exchanges_live() const noexcept { return exchanges_.live_count(); }

 private:
  // protocol.cpp: the events of a connection, and its deadlines.
  void resume(net::Connection& connection, bool judge_partial) noexcept;
  void go_on(net::Connection& connection) noexcept;
  void read_kept(net::Connection& connection) noexcept;
  void settle(net::Connection& connection) noexcept;
  void probe(net::Connection& connection) noexcept;
  void set_deadlines(net::Connection& connection) noexcept;
  /// Twice in write_idle_ns, because the first of two looks only learns what a slow peer has still to take.
  TimeNs next_write_check() const noexcept { return carrier_.now() + options_.write_idle_ns / 2; }

  // read.cpp: from bytes to whole requests.
  enum class Step : std::uint8_t { again, wait };
  struct Window {
    char* data;
    std::size_t size;  ///< Shrinks where a chunked body is decoded in place.
    std::size_t at;    ///< Consumed so far.
  };
  void process(net::Connection& connection, Window& window, bool judge_partial) noexcept;
  Step read_head(net::Connection& connection, Window& window, bool judge_partial) noexcept;
  std::size_t copies_ahead(const Window& window) noexcept;
  void repeat_head(net::Connection& connection, Window& window, std::size_t copies) noexcept;
  Step end_without_head(net::Connection& connection, Error error) noexcept;
  Step begin_body(net::Connection& connection, Window& window) noexcept;
  Step read_length(net::Connection& connection, Window& window) noexcept;
  Step read_chunked(net::Connection& connection, Window& window) noexcept;
  void parse_again(net::Connection& connection, char* data) noexcept;
  bool paused(net::Connection& connection) const noexcept {
    const Session& session = session_of(connection);
    if (session.phase == Phase::body_parts) [[unlikely]]
      return upload_full(session);
    return connection.output.bytes() >= options_.output_bytes_max ||
           session.pending_count >= options_.pipeline_max;
  }

  // parts.cpp: bodies whose handler starts before they are there.
  void begin_parts(net::Connection& connection, Window& window) noexcept;
  Step read_parts(net::Connection& connection, Window& window) noexcept;
  Error take_parts(net::Connection& connection, Window& window) noexcept;
  void end_parts(net::Connection& connection) noexcept;
  void fail_parts(net::Connection& connection, Error error) noexcept;
  void abandon_upload(net::Connection& connection) noexcept;
  void leave_upload(H1Exchange& exchange) noexcept;
  void ask_for_body(H1Exchange& exchange) noexcept;
  void read_on(H1Exchange& exchange) noexcept;
  bool upload_full(const Session& session) const noexcept;

  // switching.cpp: requests that ask for another protocol.
  void await_switch(net::Connection& connection, H1Exchange& exchange) noexcept;
  void stay(net::Connection& connection, H1Exchange& exchange) noexcept;
  void hand_over(net::Connection& connection) noexcept;

  // dispatch.cpp: from a whole request to its handler.
  void dispatch(net::Connection& connection, std::string_view body) noexcept;
  void start_asynchronous(net::Connection& connection) noexcept;
  H1Exchange* adopt(net::Connection& connection) noexcept;
  bool judge_before_body(net::Connection& connection, Window& window) noexcept;
  void owe_continue(net::Connection& connection) noexcept;
  void refuse(net::Connection& connection, Error error) noexcept;
  void reset_scratch(net::Connection& connection) noexcept;

  // stream.cpp: bodies of replies, in parts.
  bool pull(net::Connection& connection, H1Exchange& exchange) noexcept;
  bool transfer(net::Connection& connection, H1Exchange& exchange) noexcept;
  bool take_unsent(net::Chain& out, H1Exchange& exchange, std::size_t bytes_max) noexcept;
  bool take_last(H1Exchange& exchange) noexcept;
  bool put_part(net::Chain& out, const H1Exchange& exchange, std::string_view bytes) noexcept;
  TimeNs next_idle(net::Connection& connection) noexcept;
  void send_idle_text(net::Connection& connection) noexcept;
  net::Chain& chain_of(H1Exchange& exchange) noexcept;
  void wake(H1Exchange& exchange) noexcept;

  // reply.cpp: replies in order; head_writer.cpp: their bytes.
  bool plain_now(const H1Exchange& exchange) const noexcept;
  void write_plain_now(H1Exchange& exchange, std::string_view body) noexcept;
  [[gnu::noinline]] void reply_plain_slowly(H1Exchange& exchange, std::string_view body) noexcept;
  net::Chain* open_reply(H1Exchange*& exchange, bool must_queue) noexcept;
  const net::FilePart* file_of(const H1Exchange& exchange, const proto::BodySource& source) const noexcept;
  bool attach(net::Chain& out, H1Exchange& exchange, proto::BodySource& source,
              const net::FilePart* file) noexcept;
  void close_reply(H1Exchange& exchange, bool written) noexcept;
  void advance(net::Connection& connection) noexcept;
  void send_continue(net::Connection& connection) noexcept;
  void drop_pending(net::Connection& connection) noexcept;
  void abort(net::Connection& connection, net::CloseReason reason) noexcept;
  void release(H1Exchange& exchange) noexcept;
  void commit_head(net::Chain& out, const H1Exchange& exchange, char* begin, char* end) noexcept;
  void frame_body(H1Exchange& exchange, const proto::ReplyView& view) noexcept;
  bool write_reply(net::Chain& out, const H1Exchange& exchange, const proto::ReplyView& view) noexcept;
  bool write_fixed(net::Chain& out, const H1Exchange& exchange, const proto::FixedReply& fixed) noexcept;

  Options options_;
  http::HeadParser parser_;
  http::KnownHost known_host_;
  http::ChunkLimits chunk_limits_;
  net::Carrier& carrier_;
  mem::BlockPool& pool_;
  proto::RequestHandler& handler_;
  proto::Tasks& tasks_;
  DateLine date_;
  mem::Slab<H1Exchange> exchanges_;
  std::unique_ptr<http::Field[]> fields_;
  H1Exchange scratch_;              ///< Every synchronous request in turn.
  std::uint32_t repeat_bytes_ = 0;  ///< Of the head that scratch_ holds, and that may follow once more.
  bool one_by_one_ = false;         ///< What follows in this window is not all the same.
  Counters counters_;
};

}  // namespace millrace::h1
