"""rules.py: what holds for every response of an origin server, whatever was asked."""

from __future__ import annotations

import re

from response import Response

DATE = re.compile(  # IMF-fixdate, RFC 9110 section 5.6.7.
    rb"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] "
    rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} [0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT$"
)


def broken_rule(response: Response) -> str | None:
    """None, or what is wanted. Looks at one response alone; those that are not HTTP/1 have no fields."""
    if response.status < 200:
        return None
    dates = response.values("date")
    if len(dates) != 1 or not DATE.match(dates[0]):
        return "one valid Date (RFC 9110 section 6.6.1)"
    framed = len(response.values("content-length")) + len(response.values("transfer-encoding"))
    if response.status == 204 and framed:
        return "no framing for 204 (RFC 9110 section 8.6, RFC 9112 section 6.1)"
    if response.status not in (204, 304) and framed != 1:
        return "one Content-Length, or a coding in its place (RFC 9112 section 6.3)"
    if response.status == 405 and not response.values("allow"):
        return "Allow beside 405 (RFC 9110 section 15.5.6)"
    if response.status == 426 and not response.values("upgrade"):
        return "Upgrade beside 426 (RFC 9110 section 15.5.22)"
    return None


def says_close(response: Response) -> bool:
    options = b",".join(response.values("connection")).lower().split(b",")
    return b"close" in (option.strip() for option in options)


def broken_close(responses: list[Response], closed: bool) -> str | None:
    """RFC 9112 section 9.6: the last response before the server closes says so, and only the last."""
    if any(says_close(response) for response in responses[:-1]):
        return "no response behind one that says Connection: close"
    if closed and responses and responses[-1].status >= 200 and not says_close(responses[-1]):
        return "Connection: close in the last response before the close"
    return None
