"""Wakes claims that wait in this process when there may be something for them."""

import asyncio
import threading


class Notifier:
    """Waiters sleep on the event loop; any thread may wake them all."""

    def __init__(self) -> None:
        self.generation = 0
        self.closing = False
        self._lock = threading.Lock()
        self._waiters: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    def notify(self) -> None:
        """Wake every waiter, from any thread."""
        with self._lock:
            self.generation += 1
            waiters, self._waiters = self._waiters, {}
        for event, loop in waiters.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def close(self) -> None:
        """Wake every waiter for the last time: the server is about to end."""
        self.closing = True
        self.notify()

    async def wait(self, seen: int, seconds: float) -> None:
        """Return when there was a notification since generation `seen`, or after so many seconds."""
        event = asyncio.Event()
        with self._lock:
            if self.generation != seen:
                return
            self._waiters[event] = asyncio.get_running_loop()
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiters.pop(event, None)
