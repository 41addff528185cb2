"""A small HTTP/1.1 server whose answers are plans: reply, reset, hang, or do it later.

Frameworks hide the socket, and a peer that resets after accepting is half of what the sandbox is for.
"""

from sandbox.web.messages import Handler, Hang, Headers, Later, Plan, Reply, Request, Reset, error, json_reply
from sandbox.web.routes import Routes
from sandbox.web.server import Listener, listen, listening

__all__ = [
    "Handler",
    "Hang",
    "Headers",
    "Later",
    "Listener",
    "Plan",
    "Reply",
    "Request",
    "Reset",
    "Routes",
    "error",
    "json_reply",
    "listen",
    "listening",
]
