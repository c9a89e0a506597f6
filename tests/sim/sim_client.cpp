#include "tests/sim/sim_client.hpp"

#include <algorithm>

#include "tests/sim/reply_reader.hpp"

namespace millrace::test {
namespace {

constexpr std::string_view continue_reply = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view refusal = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n";
constexpr TimeNs patience = 200 * ns_per_ms;  ///< Then the body is sent without a 100.

}  // namespace

SimClient::SimClient(io::sim::World& world, io::Descriptor listener, const WorldPlan& world_plan,
                     const ClientPlan& plan, SimTls* tls)
    : world_(world),
      world_plan_(world_plan),
      plan_(plan),
      random_(plan.seed),
      cuts_(~plan.seed),
      client_(world) {
  for (const SimRequest& request : plan.requests) {
    bytes_ += request.bytes;
    ends_.push_back(bytes_.size());
    wanted_.push_back(request.wanted);
  }
  if (plan.ending == Ending::stall) stalled();
  world_.after(plan.connects_after, [this, listener, tls] { connect(listener, tls); });
}

// Stops somewhere: between two requests, or inside one, which is answered by 408.
void SimClient::stalled() {
  if (bytes_.empty()) return;
  std::size_t cut = 1 + plan_.cut % bytes_.size();
  if (plan_.cut >> 32 & 1) cut = *std::lower_bound(ends_.begin(), ends_.end(), cut);
  bytes_.resize(cut);
  const auto whole =
      static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), cut) - ends_.begin());
  wanted_.resize(whole);
  const std::size_t begin = whole == 0 ? 0 : ends_[whole - 1];
  if (begin == cut) return;
  const SimRequest& last = plan_.requests[whole];
  const bool head_there = cut - begin >= last.bytes.find("\r\n\r\n") + 4;
  if (head_there && last.wanted.switches) {
    wanted_.push_back(last.wanted);
  } else if (head_there && last.wanted.answers_head) {
    wanted_.push_back(last.wanted);
    wanted_.back().broken = !last.wanted.may_close;  // A reply that has begun is not taken back.
  } else {
    wanted_.push_back({.status = 408, .body = "408 Request Timeout\n", .close = true});
  }
}

void SimClient::connect(io::Descriptor listener, SimTls* tls) {
  client_.connect(listener, plan_.secure && tls != nullptr ? tls->make_client(plan_.old_tls) : nullptr,
                  plan_.whole ? nullptr : &cuts_);
  client_.on_received([this] { on_received(); });
  if (plan_.ending == Ending::never_read) {
    client_.set_reading(false);
  } else if (plan_.pauses_for != 0) {
    ++met_.pauses;
    world_.after(plan_.pauses_after, [this] { client_.set_reading(false); });
    world_.after(plan_.pauses_after + plan_.pauses_for, [this] { client_.set_reading(true); });
  }
  schedule_leaving();
  send_on();
}

void SimClient::schedule_leaving() {
  if (plan_.ending == Ending::close_early) {
    world_.after(plan_.leaves_after, [this] {
      if (!client_.ended()) client_.close();
    });
  } else if (plan_.ending == Ending::reset) {
    world_.after(plan_.leaves_after, [this] {
      if (!client_.ended()) client_.reset();
    });
  }
}

// ---- What it sends

// How far it may send now: `window` requests beyond what was answered, and no body that waits for 100.
std::size_t SimClient::sendable() const noexcept {
  std::size_t last = plan_.requests.size();
  if (plan_.window != 0) last = std::min(last, answered_ + plan_.window);
  for (std::size_t i = permitted_; i < last; ++i) {
    if (plan_.requests[i].waits_at == 0) continue;
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::min(bytes_.size(), begin + plan_.requests[i].waits_at);
  }
  return last == 0 ? 0 : std::min(bytes_.size(), ends_[last - 1]);
}

void SimClient::send_on() {
  if (pumping_ || client_.ended() || closed_) return;
  if (sent_ < sendable()) {
    pumping_ = true;
    world_.after(sent_ == 0 || plan_.whole ? 0 : random_.below(3 * ns_per_ms), [this] { pump(); });
  } else if (sent_ == bytes_.size() && plan_.ending == Ending::half_close) {
    client_.half_close();
  }
}

void SimClient::pump() {
  pumping_ = false;
  if (client_.ended()) return;
  const std::size_t left = sendable() - sent_;
  const std::size_t size = plan_.whole ? left : std::min<std::size_t>(left, 1 + random_.below(600));
  client_.write(std::string_view(bytes_).substr(sent_, size));
  sent_ += size;
  // At the head of a body that waits: not for ever (RFC 9110 section 10.1.1).
  for (std::size_t i = permitted_; i < plan_.requests.size(); ++i) {
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    if (plan_.requests[i].waits_at == 0 || begin + plan_.requests[i].waits_at != sent_) continue;
    world_.after(patience, [this, i] { give_up_waiting(i); });
    break;
  }
  send_on();
}

void SimClient::give_up_waiting(std::size_t request) {
  if (permitted_ > request) return;
  permitted_ = request + 1;
  send_on();
}

// ---- What it reads

void SimClient::on_received() {
  if (wrong_.empty()) judge();
  if (wrong_.empty() && client_.broken()) fail("TLS was broken");
  if (socket_) answer_socket();
  send_on();
}

const Wanted* SimClient::next_wanted() const noexcept {
  return answered_ < wanted_.size() ? &wanted_[answered_] : nullptr;
}

std::string SimClient::fail(const std::string& what) {
  wrong_ = "reply " + std::to_string(answered_ + 1) + " of " + std::to_string(wanted_.size()) + ": " + what;
  return wrong_;
}

void SimClient::judge() {
  std::string_view rest = std::string_view(client_.received()).substr(judged_);
  while (!rest.empty() && wrong_.empty()) {
    if (socket_refused_) return;
    if (socket_ || in_tail_) {
      const std::size_t before = rest.size();
      socket_ ? judge_frames(rest) : judge_tail(rest);
      judged_ += before - rest.size();
      return;
    }
    if (closed_ && rest.size() <= tail_bytes_) return;
    if (closed_) {
      fail("bytes behind the last one: " + std::string(rest.substr(0, 60)));
      return;
    }
    if (take_refusal(rest) || take_continue(rest)) {
      judged_ = client_.received().size() - rest.size();
      continue;
    }
    const Wanted* wanted = next_wanted();
    const bool to_head = wanted != nullptr && wanted->to_head;
    const bool open_ended = wanted != nullptr && wanted->until_close;
    Reply reply;
    std::string wrong;
    const std::string_view from = rest;
    Read read = take_reply(rest, to_head || open_ended, reply, wrong);
    if (read == Read::whole && open_ended && reply.framed)
      read = take_reply(rest = from, false, reply, wrong);
    if (read == Read::cut) return;
    judged_ = client_.received().size() - rest.size();
    if (read == Read::bad) {
      fail(wrong);
    } else if (wanted == nullptr) {
      fail("nothing was asked any more: " + std::to_string(reply.status));
    } else if (wanted->until_close && reply.status == wanted->status && !reply.framed) {
      begin_tail(reply);
    } else {
      judge_reply(reply);
    }
  }
}

// HTTP/1.0: the length is not known, and there are no chunks.
void SimClient::begin_tail(const Reply& reply) {
  if (!reply.close) fail("its body ends with the connection, and it does not say so");
  if (sent_ <= (answered_ == 0 ? 0 : ends_[answered_ - 1])) fail("it came before its request");
  in_tail_ = true;
  ++met_.until_close;
}

void SimClient::judge_tail(std::string_view& rest) {
  tail_ += rest;
  rest = {};
  if (!next_wanted()->body.starts_with(tail_)) fail("its body is wrong, or has no end");
}

void SimClient::judge_frames(std::string_view& rest) {
  const std::uint64_t before = socket_->messages();
  const std::string wrong = socket_->take(rest, draining_);
  (wanted_.back().socket.room ? met_.room_messages : met_.socket_messages) += socket_->messages() - before;
  if (!wrong.empty()) fail("WebSocket: " + wrong);
  if (socket_->closed() && !closed_) {
    closed_ = true;
    ++met_.sockets_told;
  }
}

// As a program does that lives: pongs, and a close frame for a close frame; but not in the middle of a frame.
void SimClient::answer_socket() {
  const unsigned pings = socket_->take_pings();
  if (client_.ended() || sent_ != bytes_.size() || plan_.ending == Ending::stall || pumping_) return;
  for (unsigned i = 0; i < pings; ++i) client_.write(client_frame(random_, 0x8a, ""));
  met_.pongs_sent += pings;
  if (!socket_->closed() || close_answered_) return;
  close_answered_ = true;
  const unsigned code = socket_->close_code();
  client_.write(
      client_frame(random_, 0x88, std::string{static_cast<char>(code >> 8), static_cast<char>(code)}));
}

// The core's own answer to a connection too many: nothing of its requests is looked at.
bool SimClient::take_refusal(std::string_view& rest) {
  if (!world_plan_.mode.few_connections || answered_ != 0 || !rest.starts_with(refusal)) return false;
  Reply reply;
  std::string wrong;
  std::string_view wire = rest;
  if (take_reply(wire, false, reply, wrong) != Read::whole) return false;
  if (!reply.close || !reply.body.empty()) return false;
  rest = wire;
  closed_ = refused_ = true;
  return true;
}

bool SimClient::take_continue(std::string_view& rest) {
  if (!rest.starts_with(continue_reply)) return false;
  const bool asked = answered_ < plan_.requests.size() && plan_.requests[answered_].waits_at != 0;
  if (!asked || continued_ > answered_) {
    fail("100 that nobody asked for");
    return true;
  }
  continued_ = answered_ + 1;
  ++met_.continued;
  if (permitted_ < continued_) permitted_ = continued_;
  rest.remove_prefix(continue_reply.size());
  return true;
}

bool SimClient::close_allowed(const Reply& reply) const noexcept {
  return draining_ || wanted_[answered_].close || wanted_[answered_].may_close ||
         (world_plan_.mode.tight_memory && reply.status == 503);
}

// What it comes to, where it is compressed.
std::string SimClient::body_fault(const Reply& reply, const Wanted& wanted) {
  const bool coded = reply.fields.find("Content-Encoding: gzip\r\n") != std::string::npos;
  if (coded && !wanted.takes_gzip) return "it is compressed, which nobody asked for";
  if (!coded && wanted.coded) return "it is not compressed";
  if (wanted.to_head)
    return reply.length == wanted.body.size() ? "" : "its length is wrong: " + std::to_string(reply.length);
  std::string content = reply.body;
  if (coded) {
    content.clear();
    if (!gunzip(reply.body, content)) return "what is compressed is broken or has no end";
  }
  met_.coded += coded;
  met_.forms += wanted.form;
  if (content == wanted.body) return {};
  return "its body of " + std::to_string(content.size()) + " bytes is wrong, wanted " +
         std::to_string(wanted.body.size()) + " bytes: " + content.substr(0, 60);
}

void SimClient::judge_reply(const Reply& reply) {
  const Wanted& wanted = wanted_[answered_];
  // 500: a handler that gathers its body gets std::bad_alloc.
  const bool no_memory = world_plan_.mode.tight_memory && (reply.status == 503 || reply.status == 500);
  const std::size_t begin = answered_ == 0 ? 0 : ends_[answered_ - 1];
  if (reply.close && !close_allowed(reply)) {
    fail("it closes for no reason");
  } else if (sent_ <= begin) {
    fail("it came before its request");
  } else if (no_memory && reply.status != wanted.status) {
    ++met_.no_memory;
  } else if (wanted.switches && draining_ && reply.status == 503) {
    // What drains becomes nothing new.
  } else if (wanted.broken) {
    fail("it is whole, though its handler broke off");
  } else if (reply.status != wanted.status) {
    fail("it is " + std::to_string(reply.status) + ", wanted " + std::to_string(wanted.status));
  } else if (!wanted.to_head && reply.trailers != wanted.trailers) {
    fail("its trailers are wrong: " + reply.trailers);
  } else if (wanted.to_head && wanted.in_chunks) {
    // Whoever streams need not know how much it will be (RFC 9110 section 8.6).
  } else if (const std::string wrong = body_fault(reply, wanted); !wrong.empty()) {
    fail(wrong);
  } else if (wanted.close && !reply.close) {
    fail("it does not say that it is the last");
  }
  // Refused before its head was whole, nobody knows that it was HEAD.
  if (no_memory && wanted.to_head) tail_bytes_ = reply.length;
  met_.timed_out += reply.status == 408;
  met_.windows += plan_.window != 0;
  closed_ = reply.close;
  ++answered_;
  ++met_.replies;
  if (!wanted.switches) return;
  if (reply.status == 101) {
    socket_.emplace(wanted.socket, plan_.number);
    ++met_.sockets;
  } else {
    socket_refused_ = true;
  }
}

}  // namespace millrace::test
