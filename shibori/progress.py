"""A bar that follows a study until it ends."""

import sys
import time
from collections.abc import Callable

from client import Client
from service.protocol import StudyView
from shibori.sentences import finished, params_text, value_text

LOOK_SECONDS = 0.25
LOG_SECONDS = 5.0
ONGOING = frozenset({"running", "paused"})


def follow(client: Client, study: str, sleep: Callable[[float], None] = time.sleep) -> StudyView:
    """Draws progress and the best so far on the standard error; returns the study as it ended."""
    from tqdm import tqdm

    seen = client.study(study)
    # In a file each drawing stays as a line of its own.
    live = sys.stderr.isatty()
    pause = LOOK_SECONDS if live else LOG_SECONDS
    with tqdm(total=seen.budget.trials, initial=finished(seen), unit="trial", mininterval=pause) as bar:
        while True:
            bar.total = seen.budget.trials
            bar.set_postfix_str(_best(seen), refresh=False)
            bar.update(finished(seen) - bar.n)
            if live:
                bar.refresh()
            if seen.status not in ONGOING:
                return seen
            sleep(LOOK_SECONDS)
            seen = client.study(study)


def _best(study: StudyView) -> str:
    if study.best is None:
        return ""
    return f"best {value_text(study.best)} ({params_text(study.best)})"
