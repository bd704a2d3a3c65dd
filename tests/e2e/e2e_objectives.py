"""An objective that does what the settings of its study say, for workers of the end-to-end tests."""

import os
import time
from pathlib import Path

from shibori import Trial, objective

PAUSE_SECONDS = 0.02


@objective
def scripted(trial: Trial) -> float:
    """Reports epochs, waits for a gate, then returns, raises, or takes the process down with it."""
    settings = trial.settings
    for epoch in range(1, int(str(settings.get("epochs", 2))) + 1):
        trial.report(epoch, value=epoch / 10)
        time.sleep(float(str(settings.get("epoch_seconds", 0))))
    if (gate := settings.get("gate")) is not None:
        _wait_for(Path(str(gate)), trial, silent=bool(settings.get("silent")))
    if (done := settings.get("done")) is not None:
        Path(str(done)).touch()
    return _end(str(settings.get("end", "value")), float(trial.params["x"]))


def _wait_for(gate: Path, trial: Trial, *, silent: bool) -> None:
    while not gate.exists():
        time.sleep(PAUSE_SECONDS)
        if not silent:
            trial.report(1)


def _end(end: str, x: float) -> float:
    match end:
        case "raise":
            raise ZeroDivisionError("division by zero")
        case "diverge":
            return float("nan")
        case "exit":
            os._exit(7)
        case "pid":
            return float(os.getpid())
    return x
