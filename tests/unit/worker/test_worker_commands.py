"""The objective that is a program: what it is told, what is read from it, how it ends."""

import json
import shlex
import sys
from collections.abc import Callable

import pytest
from worker_fakes import Listener

from service.protocol import ClaimedTrial
from worker.objectives.command import CommandObjective, environment_of
from worker.objectives.lines import Lines, Splitter
from worker.outcome import Unusable, Value
from worker.stopping import Stopped

Claimed = Callable[..., ClaimedTrial]


def program(code: str) -> CommandObjective:
    return CommandObjective(shlex.join([sys.executable, "-c", code]))


def test_each_parameter_is_a_variable_and_all_are_one() -> None:
    lease = {"token": "t", "expires_at": "2026-01-01T00:00:30Z", "renew_seconds": 10}
    trial = ClaimedTrial.model_validate(
        {
            "id": 7,
            "study": "s",
            "study_name": "book",
            "number": 3,
            "attempt": 1,
            "objective": "f",
            "settings": {},
            "params": {"lr": 1e-05, "net.width": 3, "bias": True, "kind": "a b"},
            "metric": "m",
            "seed": 1,
            "split_seed": 2,
            "purpose": "search",
            "last_epoch": None,
            "lease": lease,
        }
    )
    environment = environment_of(trial)
    assert environment["SHIBORI_PARAM_LR"] == "1e-05"
    assert environment["SHIBORI_PARAM_NET_WIDTH"] == "3"
    assert environment["SHIBORI_PARAM_BIAS"] == "true"
    assert environment["SHIBORI_PARAM_KIND"] == "a b"
    told = json.loads(environment["SHIBORI_TRIAL"])
    assert (told["number"], told["seed"], told["params"]["lr"]) == (3, 1, 1e-05)
    assert "lease" not in told
    assert (told["purpose"], environment["SHIBORI_PURPOSE"]) == ("search", "search")


def test_lines_are_whole_whatever_the_pieces() -> None:
    lines: list[str] = []
    splitter = Splitter(lines.append)
    for chunk in (b"on", b"e\ntwo\r\nth", b"ree", b""):
        splitter.feed(chunk)
    assert lines == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("said", "value"),
    [
        (['{"value": 0.83, "samples": 100}'], Value(0.83, 100)),
        (["0.83"], Value(0.83)),
        (["0.1", "loading ...", "0.83", "[1, 2]", "true", "bye"], Value(0.83)),
        (['{"value": 1}', '{"other": 2}'], Value(1.0)),
    ],
)
def test_the_last_result_among_the_chatter_counts(said: list[str], value: Value) -> None:
    lines = Lines(lambda _: None)
    for line in said:
        lines.take(line)
    assert lines.value() == value


def test_nan_is_a_result_which_is_not_finite() -> None:
    lines = Lines(lambda _: None)
    lines.take("nan")
    assert lines.value().value != lines.value().value


def test_a_program_reads_its_parameters_and_prints_epochs_and_a_result(claimed: Claimed, listener: Listener) -> None:
    code = (
        "import json, os, sys; lr = json.load(sys.stdin)['lr']; assert os.environ['SHIBORI_PARAM_LR'] == str(lr)\n"
        "print(json.dumps({'epoch': 1, 'train_loss': 0.5})); print(json.dumps({'value': lr * 2, 'samples': 10}))"
    )
    assert program(code).run(claimed(), listener) == Value(0.2, 10)
    assert listener.epochs == [{"epoch": 1, "train_loss": 0.5}]


def test_a_program_may_leave_its_input_unread(claimed: Claimed, listener: Listener) -> None:
    assert program("import os, sys; os.close(0); print(0.5)").run(claimed(), listener) == Value(0.5)


def test_a_program_that_fails_is_told_with_its_last_words(claimed: Claimed, listener: Listener) -> None:
    with pytest.raises(Unusable, match=r"exit code 3(?s:.*)no such file"):
        program("import sys; print('no such file', file=sys.stderr); sys.exit(3)").run(claimed(), listener)


def test_a_program_without_a_result_is_told_what_it_should_print(claimed: Claimed, listener: Listener) -> None:
    with pytest.raises(Unusable, match="last line"):
        program("print('done')").run(claimed(), listener)


def test_a_program_that_is_not_there_is_told(claimed: Claimed, listener: Listener) -> None:
    with pytest.raises(Unusable, match="cannot be started"):
        CommandObjective("./no-such-program --fast").run(claimed(), listener)


def test_a_stop_ends_the_program_and_all_that_it_started(claimed: Claimed) -> None:
    groups: list[int | None] = []
    code = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print('{\"epoch\": 1}', flush=True)\n"
        "time.sleep(600)"
    )
    objective = CommandObjective(program(code).command, runs_group=groups.append)
    with pytest.raises(Stopped):
        objective.run(claimed(), Listener(stops_after=1))
    assert len(groups) == 2
    assert groups[1] is None


def test_what_a_program_leaves_behind_does_not_hold_up_its_result(claimed: Claimed, listener: Listener) -> None:
    code = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(0.5, flush=True)"
    )
    assert program(code).run(claimed(), listener) == Value(0.5)


AWARE = """
import json, os
print(json.dumps({"value": 0.5, "samples": 10, "purpose": os.environ["SHIBORI_PURPOSE"]}))
"""


def test_a_command_does_the_final_test_only_where_its_result_says_so(claimed: Claimed, listener: Listener) -> None:
    final = claimed(purpose="final_test")
    assert program(AWARE).run(final, listener) == Value(0.5, 10)
    assert program(AWARE).run(claimed(), listener) == Value(0.5, 10)
    for result in ('{"value": 0.5}', "0.5", '{"value": 0.5, "purpose": "search"}'):
        with pytest.raises(Unusable, match="does no final test: where SHIBORI_PURPOSE is final_test"):
            program(f"print({result!r})").run(final, listener)
