"""Claims that wait: called in turn, as many as there may be something for, and nobody is left standing."""

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import notifier as waiting
from service.domain.status import Purpose
from service.notifier import Notifier
from service.operations.openings import Opening
from service.storage.workers import Terms

NEVER, PATIENCE_SECONDS = 1e6, 20.0
OBJECTIVES = ("a", "b", "c")


@pytest.fixture(autouse=True)
def without_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a notification makes anybody look; so a lost one would be seen."""
    monkeypatch.setattr(waiting, "LONGEST_SLEEP_SECONDS", NEVER)
    monkeypatch.setattr(waiting, "SHORTEST_SLEEP_SECONDS", 0.0)


def terms(*objectives: str) -> Terms:
    return Terms(objectives, (Purpose.SEARCH,))


class Line(Notifier[str]):
    """One that tells whether it is serving."""

    serving = False

    async def _serve(self) -> None:
        self.serving = True
        await super()._serve()
        self.serving = False

    async def settled(self) -> None:
        """Return when nothing is done until the next word."""
        await asyncio.sleep(0.001)
        while self._caller is not None and (self._woken.is_set() or self.serving):
            await asyncio.sleep(0.001)


@dataclass
class Market:
    """Trials by objective, and the claims that take them."""

    trials: Counter[str] = field(default_factory=Counter)
    attempts: list[str] = field(default_factory=list)
    looks: int = 0
    line: Line = field(init=False)

    def __post_init__(self) -> None:
        self.line = Line(self._look)

    def supply(self, **trials: int) -> None:
        self.trials.update(trials)
        self.line.notify()

    def take(self, wanted: Terms) -> str | None:
        found = next((one for one in wanted.objectives if self.trials[one]), None)
        if found is not None:
            self.trials[found] -= 1
        return found

    def claim(
        self, name: str, wanted: Terms, seconds: float = NEVER, *, there: Callable[[], bool] = lambda: True
    ) -> Any:
        """A claim that has found nothing at first and joins the line."""
        return asyncio.create_task(self._wait(name, wanted, seconds, there, self.line.generation))

    async def _wait(self, name: str, wanted: Terms, seconds: float, there: Callable[[], bool], seen: int) -> str | None:
        async def attempt() -> str | None:
            self.attempts.append(name)
            await asyncio.sleep(0)
            return self.take(wanted) if there() else "gone"

        return await self.line.wait(wanted, 1, attempt, seconds, seen)

    def _look(self, objectives: Collection[str]) -> list[Opening]:
        self.looks += 1
        offered = {name: self.trials[name] for name in OBJECTIVES if name in objectives and self.trials[name]}
        return [Opening(name, name, name, dict.fromkeys(Purpose, count), count) for name, count in offered.items()]


def played(play: Callable[[Market], Coroutine[Any, Any, None]]) -> Market:
    """A market after a play, whose line has come to its end."""
    market = Market()

    async def whole() -> None:
        await play(market)
        await market.line.end()

    asyncio.run(asyncio.wait_for(whole(), PATIENCE_SECONDS))
    return market


def test_the_longest_waiting_claims_are_called_first_and_no_more_than_there_is_work_for() -> None:
    async def play(market: Market) -> None:
        claims = [market.claim(str(number), terms("a")) for number in range(40)]
        await asyncio.sleep(0)
        market.supply(a=3)
        assert await asyncio.gather(*claims[:3]) == ["a"] * 3
        await market.line.settled()
        assert market.attempts == ["0", "1", "2"]
        assert market.line.waiting == 37

    played(play)


def test_a_claim_behind_many_that_have_no_use_for_the_work_gets_it() -> None:
    async def play(market: Market) -> None:
        _others = [market.claim(f"other {number}", terms("b")) for number in range(100)]
        last = market.claim("last", terms("c", "a"))
        await asyncio.sleep(0)
        market.supply(a=1)
        assert await last == "a"
        assert market.attempts == ["last"]

    played(play)


def test_more_work_than_is_called_for_at_once_serves_the_whole_line_in_order() -> None:
    async def play(market: Market) -> None:
        claims = [market.claim(f"{number}", terms("a")) for number in range(3 * waiting.MOST_AT_ONCE)]
        await asyncio.sleep(0)
        market.supply(a=100)
        assert set(await asyncio.gather(*claims)) == {"a"}
        assert market.attempts == [f"{number}" for number in range(len(claims))]

    played(play)


def test_a_word_that_came_between_the_first_try_and_the_line_is_not_lost() -> None:
    async def play(market: Market) -> None:
        claim = market.claim("ann", terms("a"))
        market.supply(a=1)
        assert await claim == "a"

    played(play)


def test_a_word_from_another_thread_while_somebody_is_called_is_not_lost() -> None:
    async def play(market: Market) -> None:
        claims = [market.claim("ann", terms("a")), market.claim("bob", terms("b"))]
        await asyncio.sleep(0)
        market.supply(a=1)
        assert await claims[0] == "a"
        await asyncio.to_thread(market.supply, b=1)
        assert await claims[1] == "b"

    played(play)


def test_a_commit_that_gives_nothing_to_those_who_wait_makes_none_of_them_ask() -> None:
    async def play(market: Market) -> None:
        _claims = [market.claim(f"{number}", terms("a", "b")) for number in range(50)]
        await asyncio.sleep(0)
        market.supply(c=5)
        await market.line.settled()
        assert market.attempts == []
        assert market.looks == 1

    played(play)


def test_work_goes_past_a_client_that_has_hung_up() -> None:
    async def play(market: Market) -> None:
        gone = market.claim("gone", terms("a"), there=lambda: False)
        next_one = market.claim("next", terms("a"))
        await asyncio.sleep(0)
        market.supply(a=1)
        assert await next_one == "a"
        assert await gone == "gone"

    played(play)


def test_work_that_somebody_else_took_first_is_asked_for_once() -> None:
    async def play(market: Market) -> None:
        claims = [market.claim(f"{number}", terms("a")) for number in range(30)]
        market.take = lambda _: None  # type: ignore[method-assign]
        await asyncio.sleep(0)
        market.supply(a=1)
        await market.line.settled()
        assert market.attempts == ["0"]
        assert not any(claim.done() for claim in claims)

    played(play)


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


def test_a_claim_that_has_its_answer_is_not_made_again() -> None:
    async def play(market: Market) -> None:
        claims = [market.claim(f"{number}", terms("a")) for number in range(2 * waiting.MOST_AT_ONCE + 1)]
        await asyncio.sleep(0)
        for _ in range(3):
            market.supply(a=waiting.MOST_AT_ONCE)
            await asyncio.sleep(0)
        assert set(await asyncio.gather(*claims)) == {"a"}

    assert max(Counter(played(play).attempts).values()) == 1


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_nobody_stands_in_line_while_there_is_work_for_them(seed: int) -> None:
    async def play(market: Market) -> None:
        chance, claims = random.Random(seed), {}
        for number in range(60):
            match chance.randrange(4):
                case 0:
                    market.supply(**{chance.choice(OBJECTIVES): chance.randint(1, 3)})
                case 1:
                    market.take(terms(chance.choice(OBJECTIVES)))
                case _:
                    wanted = terms(*chance.sample(OBJECTIVES, chance.randint(1, 3)))
                    if market.take(wanted) is None:
                        stays = chance.random() < 0.9
                        seconds = NEVER if chance.random() < 0.8 else 0.0005
                        claims[market.claim(str(number), wanted, seconds, there=lambda s=stays: s)] = wanted
            if chance.random() < 0.3:
                await asyncio.sleep(chance.choice([0, 0, 0.001]))
        await market.line.settled()
        stranded = [wanted for claim, wanted in claims.items() if not claim.done() and market.take(wanted)]
        assert stranded == []

    played(play)
