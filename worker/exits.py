"""How processes end, as numbers and in words."""

import signal

DONE, REFUSED, WRONG_USE, UNREACHABLE = range(4)
INTERRUPTED = 130


def described(code: int) -> str:
    """An exit code as `subprocess` has it, where a negative one is a signal."""
    return f"exit code {code}" if code >= 0 else f"signal {-code} ({signal.strsignal(-code)})"
