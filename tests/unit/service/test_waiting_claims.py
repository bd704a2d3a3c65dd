"""Claims that wait: called in turn, as many as there may be something for, and nobody is left standing."""

import asyncio
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import notifier as waiting
from tests.unit.service.market import NEVER, OBJECTIVES, Market, played, terms

pytestmark = pytest.mark.usefixtures("woken_by_words_only")


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
