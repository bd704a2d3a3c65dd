"""How the waiting of a claim ends: by an answer, an error, its time, or the end of the server."""

import asyncio
import threading
from collections.abc import Collection

import pytest

from service.operations.openings import Opening
from tests.unit.service.market import NEVER, PATIENCE_SECONDS, Market, played, terms

pytestmark = pytest.mark.usefixtures("woken_by_words_only")


def test_an_error_is_told_to_the_claim_it_is_of_alone() -> None:
    async def play(market: Market) -> None:
        async def broken() -> str | None:
            raise ZeroDivisionError

        failing = asyncio.create_task(market.line.wait(terms("a"), 1, broken, NEVER, market.line.generation))
        fine = market.claim("fine", terms("a"))
        await asyncio.sleep(0)
        market.supply(a=1)
        assert await fine == "a"
        with pytest.raises(ZeroDivisionError):
            await failing

    played(play)


def test_a_look_that_fails_is_made_again_at_the_next_word(caplog: pytest.LogCaptureFixture) -> None:
    async def play(market: Market) -> None:
        claim = market.claim("ann", terms("a"))
        await asyncio.sleep(0)
        look = market.line._look
        market.line._look = lambda _: [][0]
        market.supply(a=1)
        await market.line.settled()
        market.line._look = look
        market.supply()
        assert await claim == "a"

    played(play)
    assert "IndexError" in caplog.text


def test_a_wait_that_runs_out_while_its_claim_is_made_has_what_was_claimed() -> None:
    async def play(market: Market) -> None:
        made, go = asyncio.Event(), asyncio.Event()

        async def slow() -> str | None:
            made.set()
            await go.wait()
            return "a"

        claim = asyncio.create_task(market.line.wait(terms("a"), 1, slow, 0.01, market.line.generation))
        await asyncio.sleep(0)
        market.supply(a=1)
        await made.wait()
        while market.line.waiting:
            await asyncio.sleep(0.001)
        go.set()
        assert await claim == "a"

    played(play)


async def _kept_waiting(market: Market, made: asyncio.Event, go: asyncio.Event) -> "asyncio.Task[str | None]":
    """A claim on `a` that has been called and does not get on, as where somebody has its study locked."""

    async def slow() -> str | None:
        made.set()
        await go.wait()
        return market.take(terms("a"))

    claim = asyncio.create_task(market.line.wait(terms("a"), 1, slow, NEVER, market.line.generation))
    await asyncio.sleep(0)
    market.supply(a=1)
    await made.wait()
    return claim


def test_a_claim_that_takes_long_holds_up_those_alone_that_ask_for_the_same() -> None:
    async def play(market: Market) -> None:
        made, go = asyncio.Event(), asyncio.Event()
        kept = await _kept_waiting(market, made, go)
        same, other = market.claim("same", terms("a")), market.claim("other", terms("b"))
        await asyncio.sleep(0)
        market.supply(a=1, b=1)
        assert await other == "b"
        assert not kept.done()
        assert market.attempts == ["other"]
        go.set()
        assert await asyncio.gather(kept, same) == ["a", "a"]

    played(play)


def test_the_end_of_the_server_waits_for_a_claim_that_takes_long_and_answers_it() -> None:
    async def play(market: Market) -> None:
        made, go = asyncio.Event(), asyncio.Event()
        kept = await _kept_waiting(market, made, go)
        market.trials.clear()
        other = market.claim("other", terms("b"))
        await asyncio.sleep(0)
        ending = asyncio.create_task(market.line.end())
        assert await other is None
        assert not ending.done()
        go.set()
        await ending
        assert await kept is None

    played(play)


def test_a_wait_that_runs_out_has_nothing_and_leaves_the_line() -> None:
    async def play(market: Market) -> None:
        assert await market.claim("ann", terms("a"), seconds=0.001) is None
        assert market.line.waiting == 0

    played(play)


def test_the_end_of_the_server_answers_everybody_at_once() -> None:
    async def play(market: Market) -> None:
        claims = [market.claim(f"{number}", terms("a")) for number in range(20)]
        await asyncio.sleep(0)
        market.line.close()
        late = market.claim("late", terms("a"))
        assert await asyncio.gather(*claims, late) == [None] * 21

    played(play)


def test_a_line_that_is_opened_again_on_another_loop_serves_as_before() -> None:
    async def play(market: Market) -> None:
        market.line.open()
        claim = market.claim("ann", terms("a"))
        await market.line.settled()
        market.supply(a=1)
        assert await claim == "a"

    market = played(play)
    asyncio.run(asyncio.wait_for(play(market), PATIENCE_SECONDS))


def test_nothing_is_claimed_any_more_for_those_whom_the_end_of_the_server_has_answered() -> None:
    async def play(market: Market) -> None:
        begun, go = threading.Event(), threading.Event()
        look = market.line._look

        def slow(objectives: Collection[str]) -> list[Opening]:
            begun.set()
            go.wait()
            return look(objectives)

        market.line._look = slow
        claim = market.claim("ann", terms("a"))
        await asyncio.sleep(0)
        market.supply(a=1)
        await asyncio.to_thread(begun.wait)
        market.line.close()
        await asyncio.sleep(0)
        go.set()
        assert await claim is None

    assert played(play).attempts == []
