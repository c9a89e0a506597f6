"""judge.py: is what came back one of the answers the table allows? All of it is pure: Seen in, words out."""

from __future__ import annotations

import re

from delivery import Seen
from rules import broken_close, broken_rule
from table import Answer, Case


def judge(case: Case, seen: Seen) -> str | None:
    """None where an answer fits; else what was wanted, for each answer that did not fit."""
    fault = break_rules(case, seen)
    if fault is not None:
        return fault
    wanted: list[str] = []
    for answer in case.answers:
        fault = compare(answer, seen)
        if fault is None:
            return None
        wanted.append(fault)
    return " | ".join(wanted)


def break_rules(case: Case, seen: Seen) -> str | None:
    """What no response may do, whatever the answers allow."""
    for index, response in enumerate(seen.reader.responses):
        fault = broken_rule(response)
        if fault is not None:
            return f"{fault} in response {index + 1}"
    # A client that has ended its side knows what comes next.
    return None if case.half_close else broken_close(seen.reader.responses, seen.closed)


def compare(answer: Answer, seen: Seen) -> str | None:
    if seen.reader.error is not None:
        return f"well-formed responses ({seen.reader.error})"
    silence = compare_silence(answer, seen)
    if silence is not None:
        return silence or None
    for look in (
        compare_count,
        compare_statuses,
        compare_bodies,
        compare_fields,
        compare_interim,
        compare_close,
    ):
        fault = look(answer, seen)
        if fault is not None:
            return fault
    return None


def compare_silence(answer: Answer, seen: Seen) -> str | None:
    """No response at all. None: not decided here; empty: right; else what was wanted."""
    if seen.due:
        return None
    if seen.closed and answer.allows_silence():
        return "an open connection" if answer.close is False else ""
    if answer.low == 0 and not seen.closed:
        return "the connection closed" if answer.close is True else ""
    return None


def compare_count(answer: Answer, seen: Seen) -> str | None:
    count, statuses = seen.due, [sorted(one) for one in answer.status[:3]]
    if answer.each and count == len(answer.status) - 1 and seen.closed and 0 in answer.status[-1]:
        return None
    if not answer.low <= count <= answer.high and (count or answer.low):
        return f"{answer.low}..{answer.high} responses {statuses}"
    if count == 0 and seen.closed and answer.high == 0 and answer.close is False:
        return "the connection kept open, waiting"
    return None


def compare_statuses(answer: Answer, seen: Seen) -> str | None:
    for index, response in enumerate(seen.reader.responses[: seen.due]):
        wanted = answer.wanted(index)
        if wanted is not None:
            if response.status not in wanted:
                return f"response {index + 1} in {sorted(wanted)}, not {response.status}"
        elif 200 <= response.status < 300 or (
            response.status < 400 and response.status not in answer.status[0]
        ):
            # What a server makes of the bytes behind an error is its affair, but it must not serve them.
            return f"no {response.status} after the first response"
    return None


def compare_bodies(answer: Answer, seen: Seen) -> str | None:
    for index, (body, response) in enumerate(zip(answer.bodies, seen.reader.responses[: seen.due])):
        if body is not None and response.status == 200 and response.body != body:
            got = response.body
            return f"body {index + 1} {body[:30]!r} ({len(body)}), not {got[:30]!r} ({len(got)})"
    return None


def compare_fields(answer: Answer, seen: Seen) -> str | None:
    responses = seen.reader.responses[: seen.due]
    if answer.no_te and any(response.values("transfer-encoding") for response in responses):
        return "no Transfer-Encoding in a response to HTTP/1.0"
    if (
        answer.close_hdr
        and responses
        and b"close" not in b",".join(responses[-1].values("connection")).lower()
    ):
        return "Connection: close in the response (RFC 9112 section 9.6)"
    for index, (wanted, response) in enumerate(zip(answer.headers, responses)):
        for name, pattern in wanted.items():
            value = b", ".join(response.values(name)).decode("latin-1") if response.values(name) else None
            if (pattern is None) != (value is None) or (pattern and value and not re.search(pattern, value)):
                return f"{name} of response {index + 1} like {pattern!r}, not {value!r}"
    heads = [responses[index].head() for index in answer.same_head]
    if any(head != heads[0] for head in heads):
        return f"the same head in responses {[index + 1 for index in answer.same_head]}"
    return None


def compare_interim(answer: Answer, seen: Seen) -> str | None:
    if answer.interim is True and seen.interim_first is False:
        return "100 Continue before the body"
    if answer.interim is False and seen.reader.interim:
        return "no 1xx"
    return None


def compare_close(answer: Answer, seen: Seen) -> str | None:
    if answer.close is True:
        return None if seen.closed else "the connection closed"
    if answer.close is False and seen.closed:
        return "the connection kept open"
    if seen.probe is None:
        return None
    if seen.probe == "eof":
        return "a connection that takes the next request" if answer.close is False else None
    if seen.probe == "timeout":
        return "an answer to the probe: the connection is stuck"
    return (
        None
        if seen.probe in ([404], [405])
        else "404 alone for the probe: requests and replies are out of step"
    )


def describe(seen: Seen) -> str:
    statuses = [response.status for response in seen.reader.responses[: seen.due]]
    parts = [f"status {statuses}" if statuses else "no response"]
    if seen.reader.interim:
        parts.append(f"{seen.reader.interim} interim")
    parts.append("reset" if seen.reset else "closed" if seen.closed else "open")
    if seen.probe is not None:
        parts.append(f"probe {seen.probe}")
    return ", ".join(parts) + f"; bytes {seen.raw[:240]!r}{'...' if len(seen.raw) > 240 else ''}"
