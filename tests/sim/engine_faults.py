#!/usr/bin/env python3
"""The deliberate faults that the simulation must find, and the test-only copy of the engine that has them.

usage: engine_faults.py ROOT OUT SOURCE...

Writes a copy of each SOURCE (engine/serve/reap.cpp becomes OUT/faulty_serve_reap.cpp) in which every fault
stands beside the text it replaces, chosen at run time by millrace::test::engine_fault; and
OUT/engine_faults.hpp, the table of them. So one build serves every fault, and the engine itself has no
switch. A fault whose text is not found once in its file is marked stale, and the test that runs them fails.
"""
from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple


class Fault(NamedTuple):
    name: str
    file: str
    old: str  # Statements, or an expression; once in the file.
    new: str


REAP = "engine/serve/reap.cpp"
CONNECTIONS = "engine/serve/connections.cpp"
ACCEPTING = "engine/serve/accepting.cpp"
CORE = "engine/serve/core.cpp"
SCHEDULER = "engine/serve/scheduler.cpp"
ROUTES = "engine/serve/dispatch.cpp"
REPLY = "engine/proto/h1/reply.cpp"
PROTOCOL = "engine/proto/h1/protocol.cpp"
DISPATCH = "engine/proto/h1/dispatch.cpp"
READ = "engine/proto/h1/read.cpp"
STREAM = "engine/proto/h1/stream.cpp"
PARTS = "engine/proto/h1/parts.cpp"
CHUNKED = "engine/http/chunked.cpp"
SWITCHING = "engine/proto/h1/switching.cpp"
WS = "engine/proto/ws/protocol.cpp"
WS_READ = "engine/proto/ws/read.cpp"
WS_WRITE = "engine/proto/ws/write.cpp"
HUB = "engine/serve/hub.cpp"
TOPICS = "engine/serve/topics.cpp"
TLS = "engine/ext/tls/session.cpp"
FORMS = "engine/serve/multipart_reader.cpp"
CODED = "engine/ext/compress/coded_streams.cpp"

FAULTS = [
    # The turn and the kernel.
    Fault("end of stream forgotten", REAP, "events_[event_count_++] = {found, 0, 0, EventKind::end};", ""),
    Fault("starved connection forgotten", REAP, "starved_[starved_count_++] = done.token.slot();", ""),
    Fault("starved for ever", CORE, "connection->starved = false;", ""),
    Fault("small receives leak their buffer", REAP,
          "if (done.has_buffer) returned_[returned_count_++] = done.buffer_id;",
          "if (done.has_buffer && done.result > 64) returned_[returned_count_++] = done.buffer_id;"),
    Fault("an ended multishot receive is not renewed", REAP,
          "flush_later(connection);  // Armed again there, unless the protocol holds.", ""),
    Fault("a short send counts as whole", REAP,
          "connection.output.consume(pool_, static_cast<std::size_t>(done.result));",
          "connection.output.consume(pool_, connection.output.bytes());"),
    Fault("an ended hangup watch is not renewed", REAP,
          "watch_hangup(*found);  // The kernel stopped watching, as it does when its queue is full.", ""),
    Fault("a lingering connection is closed with bytes unread", REAP, "!found->lingering", "true"),
    # Connections.
    Fault("a closing receive is not cancelled", CONNECTIONS,
          "if (connection.receiving) backend_.cancel(token_of(io::Op::recv, connection));", ""),
    Fault("closed with operations under way", CONNECTIONS,
          "if (connection.operations == 0) destroy(connection);", "destroy(connection);"),
    Fault("closed without a reason", CONNECTIONS,
          "counters_.closed[static_cast<std::size_t>(reason)].fetch_add(1, std::memory_order_relaxed);", ""),
    Fault("accepting stays paused", CONNECTIONS,
          "if (accept_paused_ && connections_.live_count() < options_.connections_max) resume_accept();", ""),
    Fault("no lingering", CONNECTIONS, "if (!connection.lingering) begin_linger(connection);",
          "return close(connection, connection.reason);"),
    Fault("a closed connection keeps its output", CONNECTIONS, "connection.output.clear(pool_);", ""),
    Fault("accepting ends with EMFILE", ACCEPTING,
          "wheel_.start(accept_retry_, now_ + options_.accept_retry_ns);", ""),
    Fault("the grace has no end", ACCEPTING, "wheel_.start(stop_timer_, deadline);", ""),
    Fault("a deadline that moved on is lost", CORE,
          "if (now_ < connection.deadline) return wheel_.start(timer, connection.deadline);",
          "if (now_ < connection.deadline) return;"),
    # Replies in order.
    Fault("replies leave as they finish", REPLY,
          "if (x.queued) return &session.pending.front() == &x ? &connection.output : &x.reply;",
          "if (x.queued) return &connection.output;"),
    Fault("a waiting reply is lost", REPLY, "connection.output.take_over(x.reply);", ""),
    Fault("a body source is leaked", STREAM, "  x.source->release();\n  x.source = nullptr;\n", "x.source = nullptr;"),
    Fault("a drain closes behind the first reply", REPLY,
          "return !in_body && session.pending_count == (x.queued ? 1 : 0);", "return true;"),
    Fault("requests behind a close are run", REPLY,
          "if (x.close_after && session.upload != &x) session.phase = Phase::stopped;",
          "if (x.close_after && !x.queued) session.phase = Phase::stopped;"),
    Fault("a coroutine outlives its client", REPLY, "tasks_.cancel(x.scope);", ""),
    Fault("reading is never resumed", PROTOCOL, "carrier_.hold_reading(connection, false);", ""),
    Fault("held input is not read on", PROTOCOL, "if (connection.input.size() != 0) resume(connection, true);", ""),
    Fault("an idle connection keeps its block", PROTOCOL, "net::consume_input(input, pool_, window.at);",
          "input.begin += static_cast<std::uint32_t>(window.at);"),
    Fault("a head may take for ever", READ, "session.read_deadline = carrier_.now() + options_.header_ns;", ""),
    Fault("a coroutine reads the window", DISPATCH, "  move(x.target.path);\n", ""),
    Fault("100 overtakes the replies before it", DISPATCH,
          "if (session.pending_count == 0) send_continue(connection);", "send_continue(connection);"),
    Fault("a head that begins like the one before counts as the same", READ,
          "std::memcmp(ahead, scratch_.head.base, size) != 0", "std::memcmp(ahead, scratch_.head.base, size / 4) != 0"),
    Fault("heads behind two that are the same count as the same", READ,
          "std::memcmp(ahead + size, ahead, (copies - 1) * size) != 0", "std::memcmp(ahead + size, ahead, size / 4) != 0"),
    Fault("a body is kept without its last byte", READ,
          "dispatch(connection, {head + session.head_bytes, session.body_left});",
          "dispatch(connection, {head + session.head_bytes, session.body_left - 1});"),
    # Bodies in parts.
    Fault("a writer that waits for room is not woken", STREAM,
          "if (x.unsent.empty() && x.awaiting == proto::Awaiting::room) wake(x);", ""),
    Fault("a chunk has no end", STREAM, "if (x.in_chunks) to = put(to, line_end);", ""),
    Fault("a stream does not wait for its turn", STREAM, "&session_of(*x.connection).pending.front() == &x", "true"),
    Fault("a stream that broke off looks whole", STREAM,
          "if (x.connection != nullptr) abort(*x.connection, net::CloseReason::incomplete);",
          "if (x.connection != nullptr) { x.stream = proto::StreamState::open; end(x); }"),
    Fault("the end of a body wakes nobody", PARTS, "(done || (decoded != 0 && !x->collecting))",
          "(decoded != 0 && !x->collecting)"),
    Fault("a held body is not read on", PARTS,
          "if (session.upload != &x || !connection.hold_reading || upload_full(session)) return;", "return;"),
    Fault("a part of a body is given twice", PARTS,
          "x.upload.consume(pool_, std::exchange(x.part_bytes, 0));\n    read_on(x);", "read_on(x);"),
    Fault("the end of a form's part is missed", FORMS, "return {PartStep::part_end};", "return {PartStep::need_more};"),
    Fault("a compressed stream has no end", CODED, "code(exchange, {}, Flush::end)", "code(exchange, {}, Flush::part)"),
    # Below and above.
    Fault("a quoted extension ends at an escape", CHUNKED,
          "if (byte == '\\\\') return to(Step::ext_escape);", ""),
    Fault("the third coroutine that is ready is lost", SCHEDULER, "waiter != nullptr", "waiter != nullptr && count < 2"),
    Fault("a cancelled sleep stays in the wheel", SCHEDULER, "waiter->cancel(*waiter);", ""),
    Fault("a coroutine runs outside of its scope", ROUTES,
          "scheduler->enter(exchange.scope, [&]() noexcept { entry.start(entry.self, exchange.request); });",
          "entry.start(entry.self, exchange.request);"),
    Fault("a writer goes on where nothing is sent", STREAM,
          "if (x.connection->aborting || x.drops_content) return true;",
          "if (x.connection->aborting || x.drops_content) { x.unsent = {}; return true; }"),
    # WebSockets, and what is published between cores.
    Fault("what was not read yet of frames is lost", WS_READ, "net::consume_input(input, pool_, window.at);",
          "net::consume_input(input, pool_, input.size());"),
    Fault("a drain forgets what becomes a WebSocket", SWITCHING, "if (draining) connection.protocol->on_drain(connection);", ""),
    Fault("a sender is not woken by room", WS,
          "if (room && session.end != nullptr && session.end->waiting == detail::SocketWait::room) wake(*session.end);", ""),
    Fault("a silent peer is asked for ever", WS, "now >= session.ping_deadline", "false"),
    Fault("a close frame is not waited for", WS,
          "session.close_deadline = carrier_.now() + session.options->close_ms * ns_per_ms;", ""),
    Fault("a frame's mask begins anew with each part", WS_READ, "session.frame_at += size;", ""),
    Fault("a ping is answered behind our close frame", WS_READ,
          "if (!session_of(connection).close_sent) write_frame(connection, Opcode::pong, {payload, size}, false);",
          "write_frame(connection, Opcode::pong, {payload, size}, false);"),
    Fault("a message too large is taken", WS_READ, "(too_large || ++session.fragments > limits.fragments)", "false"),
    Fault("a socket that ends keeps its message", WS_WRITE,
          "if (end.message_data != nullptr) pool_.give({end.message_data, end.message_capacity_bytes});\n"
          "  if (end.close_reason != nullptr) pool_.give({end.close_reason, reason_block_bytes});",
          "if (end.close_reason != nullptr) pool_.give({end.close_reason, reason_block_bytes});"),
    Fault("a core is not woken for what is published", HUB, "if (waiting_.size() == 1) backend_->wake();", ""),
    Fault("a mailbox is told to its own core too", HUB, "core != from && !mailboxes_[core]->put(topic, message, opcode)",
          "!mailboxes_[core]->put(topic, message, opcode)"),
    Fault("a subscription is kept twice", TOPICS, "if (at->topic->name == name) return;", ""),
    # TLS.
    Fault("the end is not told by close_notify", TLS, "connection.finishing && !close_told_", "false"),
    Fault("content in the scratch waits for the next record", TLS,
          "more = in_bytes_ != 0 || SSL_pending(ssl_) != 0;", "more = in_bytes_ != 0 && SSL_pending(ssl_) != 0;"),
    Fault("records of the handshake overtake each other", TLS, "connection.output.take_over(own_);", ""),
    Fault("the kernel takes over before OpenSSL's last word has left", TLS,
          "attached_ && open && own_.empty() && !connection.kernel_seals", "attached_ && open && !connection.kernel_seals"),
    Fault("the kernel begins with the number of a record that was", TLS, "sent == 1 && type == SSL3_RT_HEADER", "false"),
    Fault("the end is not told in a record of the kernel", TLS,
          "!connection.finishing || !connection.output.empty() || close_told_", "true"),
    Fault("the end overtakes records that the kernel holds", CONNECTIONS, "left == 0 && before == 0", "true"),
    Fault("the end is told as content", CONNECTIONS, "connection.alert", "false"),
]  # fmt: skip


def copy_name(source: str) -> str:
    return "faulty_" + "_".join(Path(source).with_suffix("").parts[1:]) + ".cpp"


def beside(fault: Fault, number: int) -> str:
    """The text with both forms, one of which runs."""
    chosen = f"::millrace::test::engine_fault == {number}"
    if fault.old.rstrip().endswith((";", "}")) or "//" in fault.old:
        return f"{{ if ({chosen}) {{ {fault.new} }} else {{ {fault.old} \n}} }}"
    return f"(({chosen}) ? ({fault.new}) : ({fault.old}))"


def copy_with_faults(root: Path, source: str, stale: set[int]) -> str:
    text = original = (root / source).read_text()
    for number, fault in enumerate(FAULTS, 1):
        if fault.file != source:
            continue
        if original.count(fault.old) != 1 or text.count(fault.old) != 1:
            stale.add(number)
        else:
            text = text.replace(fault.old, beside(fault, number))
    return f"namespace millrace::test {{ extern int engine_fault; }}\n{text}"


def table(stale: set[int]) -> str:
    lines = [f'    {{"{f.name}", "{f.file}", {str(n in stale).lower()}}},' for n, f in enumerate(FAULTS, 1)]
    return "\n".join([
        "// Generated by tests/sim/engine_faults.py: number 1 is the first.",
        "#pragma once",
        "namespace millrace::test {",
        "extern int engine_fault;  ///< The one that is in force; 0: none.",
        "struct EngineFault {",
        "  const char* name;",
        "  const char* file;",
        "  bool stale;  ///< Its text is no longer there once.",
        "};",
        "inline constexpr EngineFault engine_faults[] = {",
        *lines,
        "};",
        "}  // namespace millrace::test",
        "",
    ])  # fmt: skip


def main() -> None:
    root, out, sources = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    # A build without OpenSSL, or without gzip.
    FAULTS[:] = [fault for fault in FAULTS if fault.file not in (TLS, CODED) or fault.file in sources]
    stale = {number for number, fault in enumerate(FAULTS, 1) if fault.file not in sources}
    for source in sources:
        (out / copy_name(source)).write_text(copy_with_faults(root, source, stale))
    (out / "engine_faults.hpp").write_text(table(stale))


if __name__ == "__main__":
    main()
