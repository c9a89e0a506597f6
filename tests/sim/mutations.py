#!/usr/bin/env python3
"""Shows that the simulation finds faults: puts one single-line fault at a time into a copy of the tree, builds
core_sim and core_cases there, and expects one of them to fail.

    python3 tests/sim/mutations.py [--seeds N] [NAME...]

By hand, because the builds take some five minutes. Last run, with 4,000 seeds on 2 cores: 24 of 24 found, each
within half a second: 19 by core_cases and 5 by core_sim alone (starved connections, lingering, held input).
A fault whose line has moved stops the run, so the list cannot go stale unseen.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVE = 'engine/serve/'
H1 = 'engine/proto/h1/'

# Name, file, the text as it is (once in the file), the text with the fault.
MUTATIONS = [
    ('end of stream forgotten', SERVE + 'reap.cpp', 'events_[event_count_++] = {found, 0, 0, EventKind::end};', ''),
    ('starved connection forgotten', SERVE + 'reap.cpp', 'starved_[starved_count_++] = done.token.slot();', ''),
    ('starved for ever', SERVE + 'core.cpp', 'connection->starved = false;', ''),
    ('small receives leak their buffer', SERVE + 'reap.cpp', 'if (done.has_buffer) returned_',
     'if (done.has_buffer && done.result > 64) returned_'),
    ('a short send counts as whole', SERVE + 'reap.cpp',
     'connection.output.consume(pool_, static_cast<std::size_t>(done.result));',
     'connection.output.consume(pool_, connection.output.bytes());'),
    ('an ended hangup watch is not renewed', SERVE + 'reap.cpp', 'watch_hangup(*found);', ''),
    ('a closing receive is not cancelled', SERVE + 'connections.cpp',
     'if (connection.receiving) backend_.cancel(token_of(io::Op::recv, connection));', ''),
    ('closed with operations under way', SERVE + 'connections.cpp', 'if (connection.operations == 0) destroy(connection);',
     'destroy(connection);'),
    ('accepting stays paused', SERVE + 'connections.cpp',
     'if (accept_paused_ && connections_.live_count() < options_.connections_max) resume_accept();', ''),
    ('no lingering', SERVE + 'connections.cpp', 'if (!connection.lingering) begin_linger(connection);',
     'return close(connection, connection.reason);'),
    ('accepting ends with EMFILE', SERVE + 'accepting.cpp',
     'wheel_.start(accept_retry_, now_ + options_.accept_retry_ns);', ''),
    ('the grace has no end', SERVE + 'accepting.cpp', 'wheel_.start(stop_timer_, deadline);', ''),
    ('a deadline that moved on is lost', SERVE + 'core.cpp',
     'if (now_ < connection.deadline) return wheel_.start(timer, connection.deadline);',
     'if (now_ < connection.deadline) return;'),
    ('replies leave as they finish', H1 + 'reply.cpp',
     'if (x.queued) return &session.pending.front() == &x ? &connection.output : &x.reply;',
     'if (x.queued) return &connection.output;'),
    ('a waiting reply is lost', H1 + 'reply.cpp', 'connection.output.take_over(x.reply);', ''),
    ('a body source is leaked', H1 + 'reply.cpp', '  x.source->release();\n  x.source = nullptr;\n  return true;',
     '  x.source = nullptr;\n  return true;'),
    ('a drain closes behind the first reply', H1 + 'reply.cpp',
     'return !in_body && session.pending_count == (x.queued ? 1 : 0);', 'return true;'),
    ('requests behind a close are run', H1 + 'reply.cpp',
     'if (x.close_after) session.phase = Phase::stopped;  // Also', 'if (x.close_after && !x.queued) session.phase = Phase::stopped;  // Also'),
    ('reading is never resumed', H1 + 'protocol.cpp', 'carrier_.hold_reading(connection, false);', ''),
    ('held input is not read on', H1 + 'protocol.cpp', 'if (connection.input.size() != 0) resume(connection, true);', ''),
    ('a finished connection keeps its old deadline', H1 + 'protocol.cpp',
     'carrier_.set_deadline(connection, connection.output.empty() ? time_never : session.write_deadline);',
     'if (!connection.output.empty()) carrier_.set_deadline(connection, session.write_deadline);'),
    ('nobody asks who has left', H1 + 'protocol.cpp', 'first.probed = connection.output.append(pool_, reply_prefix);', ''),
    ('a coroutine reads the window', H1 + 'dispatch.cpp', '  move(x.target.path);\n', ''),
    ('a coroutine outlives its client', H1 + 'reply.cpp', 'cancel_(cancel_context_, x.scope);', ''),
]


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def build(tree):
    done = run(['ninja', '-C', str(tree / 'build'), '-j2', 'tests/sim/core_sim', 'tests/sim/core_cases'])
    if done.returncode != 0:
        sys.exit('it does not build:\n' + done.stdout[-3000:])


def judge(tree, seeds):
    """Who found it, or None."""
    for name, arguments in (('core_cases', []), ('core_sim', ['--seeds', str(seeds)])):
        try:
            done = run([str(tree / 'build/tests/sim' / name), *arguments], timeout=180)
        except subprocess.TimeoutExpired:
            return name + ' (does not end)'
        if done.returncode != 0:
            return name
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--seeds', type=int, default=4000)
    parser.add_argument('names', nargs='*')
    arguments = parser.parse_args()
    chosen = [m for m in MUTATIONS if not arguments.names or m[0] in arguments.names]
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder) / 'tree'
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns('.git', 'build*', '__pycache__'))
        setup = run(['meson', 'setup', str(tree / 'build'), str(tree), '-Dperf=false', '-Dbuildtype=plain', '-Dcpp_args=-O1'])
        if setup.returncode != 0:
            sys.exit(setup.stdout[-3000:])
        build(tree)
        if found := judge(tree, arguments.seeds):
            sys.exit(f'{found} fails without a fault')
        missed = 0
        for name, file, old, new in chosen:
            path = tree / file
            text = path.read_text()
            if text.count(old) != 1:
                sys.exit(f'{name}: its line is {text.count(old)} times in {file}')
            path.write_text(text.replace(old, new))
            build(tree)
            begin = time.monotonic()
            found = judge(tree, arguments.seeds)
            missed += found is None
            print(f'{name:45} {found or "NOT FOUND":30} {time.monotonic() - begin:5.1f} s', flush=True)
            path.write_text(text)
    print(f'{len(chosen) - missed} of {len(chosen)} found')
    return 1 if missed else 0


if __name__ == '__main__':
    sys.exit(main())
