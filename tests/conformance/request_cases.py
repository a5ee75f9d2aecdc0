"""The table of requests, in groups: title, what RFCs say of it, cases. A case is one line; see request_case.Case."""
from cases_of_connections import CONNECTIONS, LIMITS
from cases_of_framing import CHUNKED, FRAMING
from cases_of_heads import LINES, REQUEST_LINES
from cases_of_targets import HOSTS, PATHS

GROUPS = (
    ("Where a body ends", "9112 6", FRAMING),
    ("Chunked bodies", "9112 7.1", CHUNKED),
    ("Lines and fields", "9112 2.2, 5", LINES),
    ("Request line", "9112 3", REQUEST_LINES),
    ("Host and authority", "9112 3.2, 9110 7.2", HOSTS),
    ("Paths", "3986 3.3", PATHS),
    ("Connection, Expect, TE, Upgrade, pipelining", "9112 9, 9110 7.6, 7.8, 10.1", CONNECTIONS),
    ("Limits", "9110 15.5.15, 6585 5", LIMITS),
)
