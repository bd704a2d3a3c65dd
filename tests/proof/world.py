"""A server and all that its clients know of it; whatever they do, the laws are held against the database."""

from collections.abc import Callable, Iterable
from datetime import timedelta

import sqlalchemy as sa

from service.domain.status import TrialStatus
from service.storage.store import Store
from service.storage.tables import idempotency_keys, studies, workers
from tests.integration.harness import Api
from tests.proof import changes, invariants, laws, picture
from tests.proof.calls import Call, Exchange, Json
from tests.proof.picture import Picture

KEYS_ARE_KEPT = timedelta(hours=24)


class World:
    """One server, and the memory of those that talk to it. An answer that is lost is in nobody's memory."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._api.begin_again()
        self._api.app.state.database.write(_forget_everything)
        self.now = self._look()
        self.calls: list[Call] = []
        self.held: list[Json] = []
        """Every trial that a worker was ever handed, as it was handed out."""
        self._first: dict[str, Exchange] = {}
        self._acknowledged: list[Call] = []
        self._deleted = False
        self._moot: set[str] = set()
        """Keys of answers that are given again though what they tell of was deleted since."""

    def send(self, call: Call, *, lost: bool = False) -> Exchange:
        """Make a request, see that all is as it must be, and remember the answer, unless it gets lost."""
        self.calls.append(call)
        exchange = self._exchange(call)
        self._judge(exchange)
        self._note(exchange)
        if not lost:
            self._remember(exchange)
        self._check_state()
        return exchange

    def move(self, seconds: float) -> None:
        self._api.clock.move(seconds)

    def sweep(self) -> None:
        self._do(self._api.sweep)
        late = [trial.id for trial in self.now.trials.values() if _has_expired(trial, self._api)]
        _check([f"the trials {late} have expired and were left"] if late else [])

    def suggest(self, study: str) -> None:
        self._do(lambda: self._api.suggest(study=study))

    def restart(self) -> None:
        """The server ends and another one begins on the same database: what runs goes on."""
        running = {trial.id: trial.lease_token for trial in self.now.trials.values()}
        self._do(self._api.reopen)
        after = {trial.id: trial.lease_token for trial in self.now.trials.values()}
        late = [trial.id for trial in self.now.trials.values() if _has_expired(trial, self._api)]
        _check(
            [f"a new server has {after}, {late} expired, where there was {running}"] if late or running != after else []
        )

    def check_end(self) -> None:
        """Where everybody had all the time he needs, nothing is left to do and nothing is missing."""
        _check([*invariants.stuck(self.now), *invariants.unused_budget(self.now)])

    def _do(self, act: Callable[[], None]) -> None:
        """What the server does by itself: it takes no lease that has time left, hands out none, revives nothing."""
        before, now = self.now, self._api.clock()
        act()
        self.now = self._look()
        given = changes.leased(before, self.now) | changes.revived(before, self.now)
        said = [f"the server has leased or revived {given} unasked"] if given else []
        _check([*said, *changes.taken_early(before, self.now, now, None), *changes.breaches(before, self.now)])
        self._check_state()

    def _exchange(self, call: Call) -> Exchange:
        before = self.now
        path = f"/api/v1{call.path}"
        answer = self._api.client.request(call.method, path, json=call.body, headers=call.headers)
        self.now = self._look()
        return Exchange(call, answer.status_code, answer.text, before, self.now, self._api.clock())

    def _judge(self, exchange: Exchange) -> None:
        if (first := self._first_under_key(exchange)) is not None:
            _check(laws.replay_breaches(exchange, first))
        else:
            _check([*laws.breaches(exchange), *changes.breaches(exchange.before, exchange.after)])

    def _first_under_key(self, exchange: Exchange) -> Exchange | None:
        """What was answered when the same was asked under the same key, as long as that counts."""
        first = self._first.get(exchange.call.key or "")
        return first if first is not None and first.at > exchange.at - KEYS_ARE_KEPT else None

    def _note(self, exchange: Exchange) -> None:
        """What the server has promised, or can no longer be held to."""
        # An answer that hands out nothing may come out otherwise when asked again.
        is_kept = exchange.call.kind != "claims" or not exchange.is_good or exchange.claimed
        if exchange.call.key is not None and is_kept and self._first_under_key(exchange) is None:
            self._first[exchange.call.key] = exchange
        if gone := exchange.before.studies.keys() - exchange.after.studies.keys():
            self._deleted = True
            ids = {trial.id for study in gone for trial in exchange.before.of(study)}
            self._acknowledged = [call for call in self._acknowledged if call.trial_id not in ids]
            self._moot |= {
                key for key, first in self._first.items() if first.call.is_write and first.call.trial_id in ids
            }

    def _remember(self, exchange: Exchange) -> None:
        call = exchange.call
        if exchange.is_good and call.is_write and call.key not in self._moot:
            is_over = call.kind == "report" and not exchange.before.holds(call.trial_id, call.token or "")
            # Of a report on a trial that is over nothing is kept, and it is told so: it hears that it shall stop.
            self._acknowledged.append(call.without("epochs") if is_over else call)
        self.held += [one for one in exchange.claimed if one not in self.held]

    def _check_state(self) -> None:
        credit = [] if self._deleted else invariants.wrongly_credited(self.now)
        _check([*invariants.breaches(self.now), *credit])
        _check(f"lost: {call}" for call in self._acknowledged if not _is_kept(call, self.now))

    def _look(self) -> Picture:
        looked: Picture = self._api.app.state.database.read(lambda store: picture.take(store._connection))
        return looked


def _has_expired(trial: picture.Row, api: Api) -> bool:
    return trial.lease_expires_at is not None and trial.lease_expires_at < api.clock()


def _is_kept(call: Call, now: Picture) -> bool:
    """Whether what a worker was told to be written is there."""
    trial = now.trials.get(call.trial_id)
    if trial is None or not laws.has_its_epochs(now, call):
        return False
    return call.kind != "complete" or (trial.status == TrialStatus.COMPLETED and laws.has_its_result(trial, call))


def _check(breaches: Iterable[str]) -> None:
    said = list(breaches)
    assert not said, "\n".join(said)


def _forget_everything(store: Store) -> None:
    for table in (studies, workers, idempotency_keys):
        store._connection.execute(sa.delete(table))
