"""What each request must get and may do, judged by the database before and after it; each breach is a sentence."""

from collections.abc import Callable, Iterator, Mapping

from service.domain.status import AttemptEnd, TrialStatus
from tests.proof import changes
from tests.proof.calls import Call, Exchange
from tests.proof.picture import Picture, Row

SAME_END = {"complete": AttemptEnd.COMPLETED, "fail": AttemptEnd.FAILED, "release": AttemptEnd.RELEASED}
"""How the attempt has ended under whose token the same may be said again."""
MARKED = (AttemptEnd.PRUNED, AttemptEnd.CANCELLED)


def breaches(exchange: Exchange) -> list[str]:
    """Every sentence that should not be true of a request that was not made before under a key."""
    said = [*_no_fault_of_the_server(exchange), *_refusals_change_nothing(exchange), *_leases(exchange)]
    said += changes.taken_early(exchange.before, exchange.after, exchange.at, _given_up(exchange.call))
    said += _only_retries_revive(exchange)
    return said + (list(_write(exchange)) if exchange.call.is_write else [])


def replay_breaches(exchange: Exchange, first: Exchange) -> Iterator[str]:
    """A request made again under its key gets the first answer, byte for byte, and does nothing."""
    if (exchange.status, exchange.text) != (first.status, first.text):
        yield f"asked again, {exchange.call} got {exchange.text} and not {first.text}"
    if exchange.before != exchange.after:
        yield f"asked again under its key, {exchange.call} did something"


def _given_up(call: Call) -> str | None:
    return call.token if call.is_write else None


def _no_fault_of_the_server(exchange: Exchange) -> Iterator[str]:
    if exchange.status >= 500:
        yield f"{exchange.call} got {exchange.status}: {exchange.text}"


def _refusals_change_nothing(exchange: Exchange) -> Iterator[str]:
    if not exchange.is_good and exchange.before != exchange.after:
        yield f"{exchange.call} was refused and did something: {exchange.text}"


def _leases(exchange: Exchange) -> Iterator[str]:
    """A trial is leased to nobody who is not told, and nobody is told of a lease that is not in force."""
    told = {one["id"]: one["lease"]["token"] for one in exchange.claimed}
    leased = changes.leased(exchange.before, exchange.after)
    if not leased <= told.keys() or len(told) != len(exchange.claimed):
        yield f"{exchange.call} leased {leased} and told of {told}"
    for trial_id, token in told.items():
        if not exchange.after.holds(trial_id, token):
            yield f"{exchange.call} told of {token} on trial {trial_id}, which is not in force"
    # Who asks again gets what it holds, and otherwise what it asked for.
    if exchange.call.body and len(leased) > exchange.call.body.get("count", exchange.call.body.get("claim_next", 0)):
        yield f"{exchange.call} leased more than was asked for: {leased}"


def _only_retries_revive(exchange: Exchange) -> Iterator[str]:
    revived = changes.revived(exchange.before, exchange.after)
    if revived and exchange.call.kind != "retry":
        yield f"{exchange.call} revived the trials {revived}, which had ended"


def _write(exchange: Exchange) -> Iterator[str]:
    call, before = exchange.call, exchange.before
    made = before.attempt(call.trial_id, call.token or "")
    if call.trial_id not in before.trials:
        if exchange.status != 404:
            yield f"{call} got {exchange.status}, and there is no such trial"
    elif before.holds(call.trial_id, call.token or ""):
        yield from _in_force(exchange)
    else:
        yield from _not_in_force(exchange, made)


def _in_force(exchange: Exchange) -> Iterator[str]:
    call = exchange.call
    if exchange.status != 200:
        yield f"{call} was made under the lease in force and got {exchange.status}: {exchange.text}"
        return
    made = exchange.after.attempt(call.trial_id, call.token or "")
    if made is None or not _DONE[call.kind](exchange, made, exchange.after.trials[call.trial_id]):
        yield f"{call} was acknowledged and did not do what it says: {made}"
    if not has_its_epochs(exchange.after, call):
        kept = exchange.after.curve(call.trial_id, call.token or "")
        yield f"{call} was acknowledged and the curve has {kept} only"


def _not_in_force(exchange: Exchange, made: Row | None) -> Iterator[str]:
    call, trial = exchange.call, exchange.before.trials[exchange.call.trial_id]
    expected = 200 if made is not None and _is_repetition(exchange, made, trial) else 409
    if exchange.status != expected:
        yield f"{call} was made under a lease that had ended as {made} and got {exchange.status}: {exchange.text}"
    if exchange.after.trials[trial.id] != trial and trial.id not in changes.leased(exchange.before, exchange.after):
        yield f"{call} was made under a lease that had ended as {made} and changed the trial"


def _is_repetition(exchange: Exchange, made: Row, trial: Row) -> bool:
    call = exchange.call
    if call.kind == "report":
        # It only hears again that it shall stop: nobody wants the epochs of a trial that is over.
        return (call.body or {}).get("claim_next", 0) > 0 and made.end in MARKED and trial.stop_reason is not None
    same = call.kind != "complete" or has_its_result(trial, call)
    return made.end == SAME_END[call.kind] and same and has_its_epochs(exchange.before, call)


def has_its_epochs(now: Picture, call: Call) -> bool:
    """Whether a curve has all epochs that a request brings."""
    kept = {epoch["epoch"] for epoch in now.curve(call.trial_id, call.token or "")}
    return kept.issuperset(epoch["epoch"] for epoch in (call.body or {}).get("epochs", []))


def has_its_result(trial: Row, call: Call) -> bool:
    """Whether a trial has the result of a completion; one that says no samples has nothing against those there are."""
    body = call.body or {}
    return trial.value == body["value"] and body.get("samples") in (None, trial.samples)


def _completed(exchange: Exchange, made: Row, trial: Row) -> bool:
    value = (exchange.call.body or {})["value"]
    told = exchange.answer["trial"]
    return (
        made.end == AttemptEnd.COMPLETED
        and (trial.status, trial.value) == (TrialStatus.COMPLETED, value)
        and trial.samples == (exchange.call.body or {}).get("samples")
        and (told["status"], told["value"], told["id"]) == (TrialStatus.COMPLETED, value, trial.id)
    )


def _reported(exchange: Exchange, made: Row, trial: Row) -> bool:
    if exchange.answer["action"] == "stop":
        return made.end in MARKED and trial.status == made.end
    return made.end is None and trial.lease_expires_at is not None and trial.lease_expires_at > exchange.at


def _released(exchange: Exchange, made: Row, trial: Row) -> bool:
    """What is given back waits as if it had not been tried, or nobody wants it any more."""
    was = exchange.before.trials[trial.id]
    waits = (trial.status, trial.attempt) == (TrialStatus.WAITING, was.attempt - 1)
    return made.end == AttemptEnd.RELEASED and (waits or trial.status == TrialStatus.CANCELLED)


_DONE: Mapping[str, Callable[[Exchange, Row, Row], bool]] = {
    "complete": _completed,
    "report": _reported,
    "fail": lambda _, made, trial: made.end == AttemptEnd.FAILED and trial.status != TrialStatus.COMPLETED,
    "release": _released,
}
