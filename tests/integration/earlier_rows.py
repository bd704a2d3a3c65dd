"""Rows as each revision of the schema had them; a new revision adds those that are new in it, and no more."""

import json
from collections.abc import Mapping
from typing import TypeAlias

Row: TypeAlias = tuple[str, Mapping[str, object]]

AT = "2026-01-01 00:00:00.000000"
EPOCHS = [{"epoch": 1, "score": 0.25}, {"epoch": 2, "score": 0.5}]
PURPOSES = ("search", "confirmation", "final_test")
STATUSES = ("waiting", "running", "completed", "pruned", "failed", "cancelled")


def _spec(name: str) -> str:
    return json.dumps(
        {
            "name": name,
            "description": "",
            "tags": ["old"],
            "objective": {"name": "bowl", "settings": {}},
            "metric": {"name": "score", "goal": "maximize"},
            "space": {"lr": {"type": "float", "low": 1e-4, "high": 1.0, "scale": "log"}},
            "search": {"algorithm": "random", "seed": 7, "settings": {}},
            "budget": {"trials": 8, "seconds": None, "epochs": None, "target": None},
            "narrowing": None,
            "pruning": None,
            "retry": {"max_attempts": 3},
            "lease_seconds": 30.0,
            "max_parallel": None,
        }
    )


def _study(study: str, *, status: str = "running", trials: int, **more: object) -> list[Row]:
    """A study of so many trials with its first round."""
    row = {
        "id": study * 32,
        "name": f"study-{study}",
        "objective": "bowl",
        "status": status,
        "spec": _spec(f"study-{study}"),
        "round": 0,
        "next_number": trials,
        "budgeted": trials,
        "epochs": 2,
        "last_event": 9,
        "created_at": AT,
        "started_at": AT,
    }
    ranges = json.dumps(json.loads(_spec("any"))["space"])
    first = {"number": 0, "ranges": ranges, "origin": "submitted", "planned": 8, "position": 0, "finished": 1}
    return [("studies", row | more), ("rounds", {"study_id": study * 32, "opened_at": AT} | first)]


def _counts(study: str, *statuses: str, purpose: str = "search") -> list[Row]:
    """How many trials of a purpose there are in each status, and none of another purpose."""
    return [
        (
            "trial_counts",
            {
                "study_id": study * 32,
                "purpose": one,
                "status": status,
                "trials": statuses.count(status) if one == purpose else 0,
            },
        )
        for one in PURPOSES
        for status in STATUSES
    ]


def _trial(number: int, study: str, place: int, status: str, **more: object) -> list[Row]:
    """A trial with an attempt and, where it has ended, a curve and its event."""
    ended = status not in ("waiting", "running")
    row = {
        "id": number,
        "study_id": study * 32,
        "number": place,
        "purpose": "search",
        "origin": "suggested",
        "status": status,
        "params": json.dumps({"lr": 0.001 * (place + 1)}),
        "point": f"{number:032x}",
        "value": 0.5 + place / 100 if status in ("completed", "pruned") else None,
        "samples": 100 if status == "completed" else None,
        "round": 0,
        "seed": number,
        "attempt": 0 if status == "waiting" else 1,
        "attempts_allowed": 3,
        "leases": 0 if status == "waiting" else 1,
        "lease_token": "00000001-token" if status == "running" else None,
        "lease_expires_at": AT if status == "running" else None,
        "worker": None if status == "waiting" else "ann",
        "stale": False,
        "failure_reason": "error" if status == "failed" else None,
        "failure_message": "no" if status == "failed" else None,
        "created_at": AT,
        "started_at": None if status == "waiting" else AT,
        "finished_at": AT if ended else None,
    }
    rows: list[Row] = [("trials", row | more)]
    if status != "waiting":
        attempt = {"trial_id": number, "lease": 1, "attempt": 1, "token": "00000001-token", "worker": "ann"}
        end = status if ended else None
        rows += [("attempts", attempt | {"last_epoch": 2, "started_at": AT, "end": end})]
        rows += [("curves", {"trial_id": number, "lease": 1, "first_epoch": 1, "epochs": json.dumps(EPOCHS)})]
    if ended:
        event = {"study_id": study * 32, "sequence": 1 + place, "kind": "finished", "trial": place, "at": AT}
        rows += [("events", event)]
    return rows


ALL = ("completed", "completed", "failed", "cancelled", "running", "waiting")
ROWS: dict[str, list[Row]] = {
    "0001": [
        *_study("a", trials=6),
        *_counts("a", *ALL),
        *(row for place, status in enumerate(ALL) for row in _trial(10 + place, "a", place, status)),
        ("study_tags", {"study_id": "a" * 32, "tag": "old"}),
        *_study("b", status="completed", trials=8, ended_by="trials", finished_at=AT),
        *_counts("b", "completed"),
        *_trial(20, "b", 0, "completed"),
        (
            "workers",
            {
                "name": "ann",
                "objectives": '["bowl"]',
                "purposes": '["search"]',
                "completed": 2,
                "failed": 1,
                "first_seen_at": AT,
                "last_seen_at": AT,
            },
        ),
        (
            "idempotency_keys",
            {"key": "k", "fingerprint": "f", "status": 200, "body": "{}", "created_at": AT},
        ),
    ],
    "0002": [("weights", {"trial_id": 11, "content": b"what it has learned"})],
    "0003": [
        *_study("c", trials=2),
        *_counts("c", "completed", "failed"),
        *_trial(30, "c", 0, "completed", finished_event=1),
        *_trial(31, "c", 1, "failed", finished_event=2),
    ],
    "0004": [
        *_study("d", trials=1),
        *_counts("d", "pruned"),
        *_trial(40, "d", 0, "pruned", finished_event=1, stop_reason="behind the others"),
        ("standings", {"study_id": "d" * 32, "epoch": 2, "bracket": 0, "trial_id": 40, "value": 0.5}),
    ],
    "0005": [
        *_study("e", status="completed", trials=8, ended_by="trials", finished_at=AT),
        *_counts("e", "waiting", "completed", purpose="confirmation"),
        *_trial(50, "e", 0, "completed", finished_event=1, purpose="confirmation", source=0, split=3),
        *_trial(51, "e", 1, "waiting", purpose="confirmation", origin="enqueued", source=0, split=4),
        ("final_tests", {"study_id": "e" * 32, "trial_id": 50, "opened_at": AT}),
    ],
    "0006": [
        (
            "workers",
            {
                "name": "bob",
                "objectives": '["bowl"]',
                "purposes": '["search"]',
                "completed": 0,
                "failed": 5,
                "failures_in_a_row": 5,
                "failing_since": AT,
                "failing_objective": "bowl",
                "paused_at": AT,
                "paused_reason": "Its last 5 trials failed.",
                "first_seen_at": AT,
                "last_seen_at": AT,
            },
        ),
    ],
    "0007": [
        *_study("f", trials=1, idle=True),
        *_counts("f", "completed"),
        *_trial(60, "f", 0, "completed", finished_event=1),
        ("weights", {"trial_id": 60, "study_id": "f" * 32, "content": b"what it has learned"}),
    ],
    "0008": [
        *_study("g", status="stopped", trials=1, idle=True, deleted_at=AT, name="deleted-1"),
        *_trial(70, "g", 0, "completed", finished_event=1),
    ],
}
