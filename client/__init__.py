"""The typed Python client of the REST API."""

from client.client import Client
from client.errors import ApiError, LeaseLost, NotFound, Refused, Unreachable, Unreadable
from client.retry import Retry

__all__ = ["ApiError", "Client", "LeaseLost", "NotFound", "Refused", "Retry", "Unreachable", "Unreadable"]
