"""What a request was about, for its line of the log: ids of studies and trials, and the name of a worker."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.types import Scope

from service.storage.keys import StoredAnswer

Json = Mapping[str, Any]


def about(scope: Scope) -> dict[str, Any]:
    """`study` and `trial` are ids; `named` is the study as the path has it, `number` the trial's within its study.

    The answer is taken apart here, since most requests have no line that is written.
    """
    path, state = scope.get("path_params") or {}, scope.get("state", {})
    worker = path.get("name") if scope["path"].endswith("/release") else None
    asked = {
        "named": path.get("study"),
        "trial": _whole(path.get("trial_id")),
        "number": _whole(path.get("number")),
        "worker": state.get("worker", worker),
    }
    return asked | _told(state.get("answer"))


def _whole(part: str | None) -> int | str | None:
    return int(part) if part is not None and part.isascii() and part.isdigit() and len(part) < 20 else part


def _told(answer: StoredAnswer | None) -> dict[str, Any]:
    if answer is None or answer.status >= 400 or not answer.body:
        return {}
    told: Json = json.loads(answer.body)
    match told:
        case {"trial": {"id": _, "study": _} as trial}:
            return _of_trials([trial]) | _claimed(told)
        case {"id": _, "study": _} as trial:
            return _of_trials([trial])
        case {"trials": [*given]} | {"items": [{"id": _, "study": _}, *_] as given}:
            return _of_trials(given)
        case {"id": study, "counts": _}:
            return {"study": study}
    return _claimed(told)


def _of_trials(trials: Sequence[Json]) -> dict[str, Any]:
    said = {"study": _one_or_more(one["study"] for one in trials), "trial": _one_or_more(one["id"] for one in trials)}
    if len(trials) == 1:
        said |= {name: trials[0][name] for name in ("number", "worker") if trials[0].get(name) is not None}
    return _known(said)


def _claimed(told: Json) -> dict[str, Any]:
    """What was given beside a completion, or to a worker that was told to stop."""
    given = (told.get("claimed") or {}).get("trials", [])
    studies, trials = _one_or_more(one["study"] for one in given), _one_or_more(one["id"] for one in given)
    return _known({"claimed_study": studies, "claimed_trial": trials})


def _one_or_more(ids: Iterable[object]) -> object:
    """The one there is, or a list of several, each once; None where there is none."""
    found = list(dict.fromkeys(ids))
    return found if len(found) > 1 else next(iter(found), None)


def _known(fields: Json) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
