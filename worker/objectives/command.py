"""A user's own objective as a program in any language: parameters in, lines of JSON out."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from service.protocol import ClaimedTrial
from worker.objectives.conversation import Conversation, end
from worker.outcome import Unusable, Value
from worker.session import Session


def _nobody_asks(_group: int | None) -> None:
    """For where nobody has to end the group of a command whose worker was killed."""


@dataclass(frozen=True, slots=True)
class CommandObjective:
    """Runs the program once a trial, in a process group of its own.

    Each parameter is in the environment as SHIBORI_PARAM_<NAME>, all of them as JSON on the
    standard input, and the whole trial as JSON in SHIBORI_TRIAL. SHIBORI_PURPOSE is search, confirmation or
    final_test.
    """

    command: str
    name: str = "command"
    runs_group: Callable[[int | None], None] = _nobody_asks

    def run(self, trial: ClaimedTrial, session: Session) -> Value:
        process = self._start(trial)
        self.runs_group(process.pid)
        try:
            final_test = trial.purpose == "final_test"
            return Conversation(process, session, final_test=final_test).value(json.dumps(trial.params))
        finally:
            end(process)
            self.runs_group(None)

    def _start(self, trial: ClaimedTrial) -> "subprocess.Popen[bytes]":
        pipe = subprocess.PIPE
        words = shlex.split(self.command)
        environment = {**os.environ, **environment_of(trial)}
        try:
            return subprocess.Popen(  # noqa: S603 - the user's command is what shall run
                words, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True
            )
        except (OSError, ValueError) as error:
            raise Unusable(f"The command {self.command!r} cannot be started: {error}.") from error


def environment_of(trial: ClaimedTrial) -> dict[str, str]:
    """The variables that a command is given; what is no letter or digit becomes an underscore."""
    told = trial.model_dump(mode="json", exclude={"lease"})
    named = {f"SHIBORI_PARAM_{_variable(name)}": _text(value) for name, value in trial.params.items()}
    return {**named, "SHIBORI_TRIAL": json.dumps(told), "SHIBORI_PURPOSE": trial.purpose.value}


def _variable(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def _text(value: bool | int | float | str) -> str:
    return value if isinstance(value, str) else json.dumps(value)
