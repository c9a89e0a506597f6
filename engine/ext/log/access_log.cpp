#include <millrace/middleware/access_log.hpp>

#include <time.h>

#include <array>

#include "engine/ext/guard/credentials.hpp"
#include "engine/ext/log/line.hpp"
#include "engine/ext/log/writer.hpp"
#include "engine/proto/exchange.hpp"
#include "engine/serve/peer.hpp"

namespace millrace {
namespace {

constexpr unsigned client_left = 499;  // As nginx has it: no status of HTTP says this.

std::int64_t unix_ms() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

AccessLog::AccessLog(const AccessLogOptions& options)
    : writer_(std::make_shared<log::Writer>(options.path, options.buffer_bytes)), format_(options.format) {}

serve::Output* AccessLog::output() const noexcept { return writer_.get(); }

void AccessLog::done(Request& request, const Outcome& outcome) const noexcept {
  const proto::Exchange& exchange = request.exchange();
  // Of a client that left the descriptor may be another's by now.
  const serve::Peer peer = outcome.status != 0 ? serve::peer_of(exchange.descriptor) : serve::Peer{};
  const auto claimed = guard::basic_credentials(request);
  const log::Facts facts{.remote = peer.address(),
                         .user = claimed ? std::string_view(claimed->name) : std::string_view(),
                         .method = request.method(),
                         .target = request.target(),
                         .host = request.host(),
                         .referer = request.header("referer").value_or(""),
                         .agent = request.header("user-agent").value_or(""),
                         .route = request.route(),
                         .id = request.id(),
                         .version_minor = exchange.head.version_minor,
                         .status = outcome.status != 0 ? outcome.status : client_left,
                         .body_bytes = outcome.body_bytes,
                         .elapsed_ns = outcome.elapsed_ns,
                         .unix_ms = unix_ms()};
  std::array<char, log::line_bytes_max> line;
  const std::size_t size =
      format_ == LogFormat::json ? log::write_json(facts, line) : log::write_combined(facts, line);
  writer_->write({line.data(), size});
}

}  // namespace millrace
