// sim_client_end.cpp: what a client finds missing when its world has ended.
#include "tests/sim/sim_client.hpp"

namespace millrace::test {

bool SimClient::idle() const noexcept {
  return client_.connected() && !socket_ && !client_.secure() && wrong_.empty() && !closed_ &&
         !client_.ended() && !client_.eof() && plan_.ending == Ending::stay && answered_ == wanted_.size();
}

std::string SimClient::check_end(Met& met) {
  met_.refused += refused_;
  const bool closed = client_.eof() || client_.was_reset();
  met_.closed_by_server += closed && !plan_.leaves();
  met.replies += met_.replies;
  met.timed_out += met_.timed_out;
  met.no_memory += met_.no_memory;
  met.refused += met_.refused;
  met.continued += met_.continued;
  met.closed_by_server += met_.closed_by_server;
  met.windows += met_.windows;
  met.pauses += met_.pauses;
  met.sockets += met_.sockets;
  met.socket_messages += met_.socket_messages;
  met.room_messages += met_.room_messages;
  met.pongs_sent += met_.pongs_sent;
  met.sockets_told += met_.sockets_told;
  met.until_close += met_.until_close;
  met.forms += met_.forms;
  met.coded += met_.coded;
  met.handshakes += client_.secure() && client_.open();
  if (!wrong_.empty() || !client_.connected()) return wrong_;
  if (plan_.leaves()) return check_left();
  const Mode& mode = world_plan_.mode;
  // Whoever is one too many is closed, where nothing could be told without a handshake.
  if (client_.secure() && !client_.open() && closed &&
      (mode.few_connections || mode.tight_memory || mode.drains))
    return {};
  if (in_tail_ && closed && !client_.was_reset()) {
    if (tail_ == next_wanted()->body) {
      ++answered_;
      closed_ = true;
    } else if (!mode.tight_memory && !mode.drains) {
      return fail("its body is short, and looks whole");
    }
  }
  // Who does not answer a close frame, or has no grace left, is dropped.
  const bool no_grace = mode.drains && mode.grace != long_grace;
  const bool may_be_dropped = no_grace || (socket_ && !close_answered_);
  if (client_.secure() && closed_ && client_.eof() && !may_be_dropped && !client_.end_was_told())
    return fail("the connection ends without close_notify");
  if (socket_refused_) return {};
  if (socket_) return check_socket(closed);
  const bool cut = client_.received().size() > judged_ + tail_bytes_;
  if (cut && !closed) return fail("it is cut on a connection that is open");
  if (closed_ && !closed) return fail("the last one was sent, but the connection is open");
  if (refused_ || !client_.accepted()) return {};
  // A reply that broke off takes along those before it that had not left yet.
  if (answered_ < wanted_.size() && wanted_.back().broken && closed) return {};
  if (mode.drains) return check_drained(cut, met);
  const bool all = answered_ == wanted_.size() || (closed_ && wanted_[answered_ - 1].may_close);
  if (!all && !mode.tight_memory) return fail("it never came whole");
  if (mode.short_timeouts || plan_.ending == Ending::half_close) {
    return closed ? "" : fail("all was answered, but the connection was not closed");
  }
  if (mode.tight_memory) return {};
  if (plan_.ending == Ending::stay && closed && !closed_) return fail("closed, though it should stay");
  if (client_.was_reset()) return fail("a client that was good was reset");
  return {};
}

std::string SimClient::check_socket(bool closed) const {
  const Mode& mode = world_plan_.mode;
  const Ending ending = plan_.ending;
  const std::string state = "WebSocket: " + socket_->state();
  const bool cut = client_.received().size() != judged_;
  if (cut && !closed) return state + ": a frame is cut on a connection that is open";
  if (socket_->closed() && !closed) return state + ": the close frame was sent, but the connection is open";
  if (mode.drains && !closed) return state + ": the server has stopped, and the connection is open";
  const bool told =
      socket_->closed() || mode.tight_memory || mode.grace != long_grace || ending != Ending::stay;
  if (mode.drains) return told ? "" : state + ": dropped by a drain without a close frame";
  if (ending != Ending::stay && !closed)
    return state + ": the connection is open, though the client has ended";
  if (mode.tight_memory || ending == Ending::stall) return {};
  if (ending == Ending::half_close && plan_.requests.back().wanted.socket.pushed) return {};
  if (!socket_->complete()) return state + ": something never came";
  return ending == Ending::stay && closed && !socket_->closed() ? state + ": closed, though it should stay"
                                                                : "";
}

std::string SimClient::check_room() const {
  if (!socket_ || plan_.ending != Ending::stay || !plan_.requests.back().wanted.socket.room) return {};
  if (socket_->closed() || client_.eof() || client_.was_reset() ||
      live_counts().subscribed.at(plan_.number) == Live::not_subscribed)
    return {};
  const std::string missing = socket_->missing_of_room();
  return missing.empty() ? "" : "it did not hear what was published: " + missing;
}

// Whoever went is noticed, also while a coroutine works for them that would never end.
std::string SimClient::check_left() const {
  const bool gone = plan_.ending != Ending::never_read;
  return gone && client_.accepted() && !client_.let_go() ? "the core holds on to a client that has left" : "";
}

// Every request that was begun is answered, as far as the grace allows.
std::string SimClient::check_drained(bool cut, Met& met) {
  if (!client_.eof() && !client_.was_reset())
    return fail("the server has stopped, and the connection is open");
  const Mode& mode = world_plan_.mode;
  if (mode.tight_memory) return {};
  if (mode.grace != long_grace) {
    met.cut_by_grace += cut;
    return {};
  }
  const std::uint64_t begun = live_counts().started.at(plan_.number);
  if (cut || begun > answered_) {
    const std::string_view rest = std::string_view(client_.received()).substr(judged_);
    return fail("the grace was long, but it was cut after " + std::to_string(rest.size()) + " bytes, of " +
                std::to_string(begun) + " that were begun" + (client_.was_reset() ? " (reset): " : ": ") +
                std::string(rest.substr(0, 40)));
  }
  if (client_.was_reset() && answered_ != 0) return fail("a client that was good was reset");
  return {};
}

}  // namespace millrace::test
