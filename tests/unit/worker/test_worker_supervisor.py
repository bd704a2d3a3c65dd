"""The parent of the worker processes, with processes that only pretend."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from worker.holding import Record
from worker.supervisor import GRACE_SECONDS, LONGEST_PAUSE_SECONDS, Supervisor


@dataclass
class FakeProcess:
    """Ends when it is told to, or at a time of the clock."""

    clock: "Clock"
    ends_at: float = float("inf")
    code: int = 0
    last_record: Record = field(default_factory=Record)
    obeys: bool = True
    signals: list[str] = field(default_factory=list)

    def returncode(self) -> int | None:
        return self.code if self.clock.now >= self.ends_at else None

    def record(self) -> Record:
        return self.last_record

    def terminate(self) -> None:
        self.signals.append("term")
        if self.obeys:
            self.ends_at, self.last_record = self.clock.now, Record(left=0)

    def kill(self) -> int:
        if self.returncode() is None:
            self.signals.append("kill")
            self.ends_at, self.code = self.clock.now, -9
        return self.code

    def close(self) -> None:
        self.signals.append("close")


@dataclass
class Clock:
    """Time that passes in sleep, and calls what is planned for then."""

    now: float = 0.0
    plans: list[tuple[float, object]] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for plan in [plan for plan in self.plans if plan[0] <= self.now]:
            self.plans.remove(plan)
            plan[1]()  # type: ignore[operator]


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Scene:
    """A supervisor whose processes come from a list; when it is used up, they leave at once."""

    def __init__(self, clock: Clock, count: int, *processes: FakeProcess) -> None:
        self.clock = clock
        self.script = list(processes)
        self.started: list[float] = []
        self.buried: list[tuple[Record, int]] = []
        self.watch: Callable[[], object] = lambda: None
        self.supervisor = Supervisor(self.start, count, self.bury, clock, clock.sleep)

    def start(self) -> FakeProcess:
        self.started.append(self.clock.now)
        return self.script.pop(0) if self.script else FakeProcess(self.clock, 0, 0, Record(left=0))

    def bury(self, record: Record, code: int) -> None:
        self.buried.append((record, code))
        self.watch()

    def signal(self) -> None:
        self.supervisor.on_signal(15, None)


def test_ends_when_every_process_left_by_itself_with_the_gravest_code(clock: Clock) -> None:
    leaving = [FakeProcess(clock, 1, code, Record(left=code)) for code in (0, 3)]
    scene = Scene(clock, 2, *leaving)
    assert scene.supervisor.run() == 3
    assert len(scene.started) == 2
    assert scene.buried == []


def test_a_process_that_dies_is_buried_and_started_again(clock: Clock) -> None:
    held = Record(trial=7, lease="token")
    scene = Scene(clock, 1, FakeProcess(clock, 60, -9, held))
    assert scene.supervisor.run() == 0
    assert scene.buried == [(held, -9)]
    assert len(scene.started) == 2


def test_processes_that_die_at_once_are_started_ever_more_slowly(clock: Clock) -> None:
    dying = [FakeProcess(clock, 0, 1) for _ in range(10)]
    scene = Scene(clock, 1, *dying)
    scene.supervisor.run()
    pauses = [round(later - earlier) for earlier, later in zip(scene.started, scene.started[1:], strict=False)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_SECONDS


def test_a_process_that_lived_long_is_replaced_without_a_pause(clock: Clock) -> None:
    scene = Scene(clock, 1, FakeProcess(clock, 0, 1), FakeProcess(clock, 100, 1))
    scene.supervisor.run()
    assert scene.started[2] == pytest.approx(100, abs=0.5)


def test_a_signal_is_passed_on_once_and_the_end_is_in_order(clock: Clock) -> None:
    working = [FakeProcess(clock), FakeProcess(clock)]
    scene = Scene(clock, 2, *working)
    clock.plans = [(5, scene.signal)]
    assert scene.supervisor.run() == 0
    assert [process.signals for process in working] == [["term", "close"]] * 2
    assert scene.buried == []


def test_a_process_that_does_not_end_is_killed_and_buried(clock: Clock) -> None:
    held = Record(trial=7, lease="token")
    stubborn = FakeProcess(clock, last_record=held, obeys=False)
    scene = Scene(clock, 1, stubborn)
    clock.plans = [(5, scene.signal)]
    assert scene.supervisor.run() == 0
    assert clock.now > 5 + GRACE_SECONDS
    assert stubborn.signals == ["term", "kill", "close"]
    assert scene.buried == [(held, -9)]


def test_all_are_killed_before_the_first_is_buried(clock: Clock) -> None:
    stubborn = [FakeProcess(clock, obeys=False) for _ in range(2)]
    left: list[bool] = []
    scene = Scene(clock, 2, *stubborn)
    scene.watch = lambda: left.append(any(process.returncode() is None for process in stubborn))
    clock.plans = [(5, scene.signal)]
    scene.supervisor.run()
    assert left == [False, False]


def test_a_second_signal_does_not_wait(clock: Clock) -> None:
    scene = Scene(clock, 1, FakeProcess(clock, obeys=False))
    clock.plans = [(5, scene.signal), (6, scene.signal)]
    assert scene.supervisor.run() == 130
    assert clock.now < 5 + GRACE_SECONDS
