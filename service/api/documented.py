"""Completes the OpenAPI document: which problems each call may answer with, and what the main calls are sent."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from fastapi import FastAPI

from service.api.addresses import API, STUDY, TRIALS
from service.api.problems import KINDS, MEDIA_TYPE, OUTCOME_UNKNOWN, SHUTTING_DOWN, UNAVAILABLE, Kind
from service.domain import errors
from service.domain.errors import ShiboriError
from service.protocol import Problem

Json = dict[str, Any]
OF_STUDY, OF_TRIAL = STUDY.removeprefix(API), f"{TRIALS.removeprefix(API)}{{trial_id}}"
CHANGING = ("post", "put", "patch", "delete")
WITHOUT_DATABASE = ("get /algorithms", "get /objectives")
_HELD = (errors.TrialNotFound, errors.LeaseLost)
_REFUSED: Mapping[str, Sequence[type[ShiboriError]]] = {
    "post /studies": [errors.StudyNameTaken],
    f"post {OF_STUDY}/clone": [errors.StudyNameTaken],
    f"delete {OF_STUDY}": [errors.StudyIsRunning],
    f"post {OF_STUDY}/pause": [errors.TransitionRefused],
    f"post {OF_STUDY}/resume": [errors.TransitionRefused],
    f"post {OF_STUDY}/stop": [errors.TransitionRefused],
    f"post {OF_STUDY}/trials": [errors.TransitionRefused, errors.BudgetUsedUp],
    f"post {OF_STUDY}/trials/{{number}}/cancel": [errors.TransitionRefused],
    f"post {OF_STUDY}/trials/{{number}}/retry": [errors.TransitionRefused, errors.BudgetUsedUp],
    f"get {OF_STUDY}/trials/{{number}}/replay": [errors.NotReplayable],
    f"get {OF_STUDY}/best": [errors.RoundNotFound],
    f"get {OF_STUDY}/best-model": [errors.WeightsNotFound, errors.WeightsNotKept],
    f"get {OF_STUDY}/figures/{{name}}.{{form}}": [errors.FigureNotFound],
    f"post {OF_STUDY}/rounds": [errors.TransitionRefused, errors.NothingToNarrow, errors.JudgementTooSlow],
    f"get {OF_STUDY}/confirmation": [errors.ConfirmationNotFound],
    f"post {OF_STUDY}/confirmation": [
        errors.TrialNotFound,
        errors.TransitionRefused,
        errors.NothingToConfirm,
        errors.ConfirmationDiffers,
    ],
    f"get {OF_STUDY}/final-test": [errors.FinalTestNotFound],
    f"post {OF_STUDY}/final-test": [
        errors.TrialNotFound,
        errors.TransitionRefused,
        errors.NothingConfirmed,
        errors.AnotherTrialPicked,
        errors.NoTestSet,
    ],
    "post /claims": [errors.StudyNotFound],
    f"post {OF_TRIAL}/report": _HELD,
    f"post {OF_TRIAL}/complete": [*_HELD, errors.TrialAlreadyFinished],
    f"post {OF_TRIAL}/fail": _HELD,
    f"post {OF_TRIAL}/release": _HELD,
    f"put {OF_TRIAL}/weights": [*_HELD, errors.WeightsNotKept],
    "post /workers/{name}/release": [errors.WorkerNotFound],
}
"""Besides what every call of a study, of a trial, with input, or on the database may say."""
_SPACE = {"lr": {"type": "float", "low": 1e-4, "high": 1.0, "scale": "log"}}
_EPOCHS = [{"epoch": 1, "train_loss": 0.61, "validation_accuracy": 0.8}]
_LEASE = "00000001-5f0c2a9d7be14c3f8a6e1d2b3c4d5e6f"
EXAMPLES: Mapping[str, Json] = {
    "post /studies": {
        "name": "book-6-24",
        "objective": {"name": "my-training", "settings": {"epochs": 50}},
        "metric": {"name": "validation_accuracy", "goal": "maximize"},
        "space": _SPACE,
        "search": {"algorithm": "random", "seed": 0},
        "budget": {"trials": 100},
    },
    "post /claims": {"worker": "machine-1", "objectives": ["my-training"], "count": 1, "wait_seconds": 0},
    f"post {OF_TRIAL}/report": {"lease": _LEASE, "epochs": _EPOCHS},
    f"post {OF_TRIAL}/complete": {"lease": _LEASE, "value": 0.8, "samples": 100, "epochs": _EPOCHS, "claim_next": 1},
    f"post {OF_TRIAL}/fail": {
        "lease": _LEASE,
        "reason": "error",
        "message": "CUDA is out of memory",
        "retryable": True,
    },
    f"post {OF_STUDY}/trials": {"trials": [{"params": {"lr": 0.1}}, {"params": {"lr": 0.3}, "value": 0.81}]},
    f"post {OF_STUDY}/rounds": {"ranges": {"lr": {"low": 0.001, "high": 0.1}}},
}


def complete_document(app: FastAPI) -> None:
    """Let an application describe itself with all of this."""
    plain: Callable[[], Json] = app.openapi

    def described() -> Json:
        if app.openapi_schema is None:
            _complete(plain())
        return plain()

    app.openapi = described  # type: ignore[method-assign]


def kinds_of(call: str) -> list[Kind]:
    """What a call, written as `post /studies`, may be refused with; how faulty input is answered comes beside."""
    refused = list(_REFUSED.get(call, ()))
    if OF_STUDY in call:
        refused.append(errors.StudyNotFound)
    if "{number}" in call:
        refused.append(errors.TrialNotFound)
    kinds = [KINDS[one] for one in refused]
    changes = call.startswith(CHANGING)
    if changes:
        kinds += [KINDS[errors.IdempotencyKeyReused], OUTCOME_UNKNOWN]
    if call == "post /claims":
        kinds.append(SHUTTING_DOWN)
    if call not in WITHOUT_DATABASE:
        kinds += [KINDS[errors.InvalidInput], UNAVAILABLE]
    return sorted(set(kinds), key=lambda kind: (kind.status, kind.slug))


def _complete(document: Json) -> None:
    schemas = document["components"]["schemas"]
    template = "#/components/schemas/{model}"
    problem = Problem.model_json_schema(ref_template=template)
    schemas.update(problem.pop("$defs"), Problem=problem)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if path.startswith(API):
                call = f"{method} {path.removeprefix(API)}"
                operation["responses"].update(_responses(kinds_of(call)))
                if call in EXAMPLES:
                    operation["requestBody"]["content"]["application/json"]["example"] = EXAMPLES[call]
    # Nothing refers to them any more.
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)


def _responses(kinds: Sequence[Kind]) -> Json:
    by_status = groupby(kinds, key=lambda kind: kind.status)
    return {str(status): _response(list(those)) for status, those in by_status}


def _response(kinds: Sequence[Kind]) -> Json:
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {k.slug: _example(k) for k in kinds}}
    description = "; ".join(f"`{kind.slug}`: {kind.title}" for kind in kinds)
    return {"description": description, "content": {MEDIA_TYPE: content}}


def _example(kind: Kind) -> Json:
    said = Problem(type=f"/problems/{kind.slug}", title=kind.title, status=kind.status, detail="What to do next.")
    return {"value": said.model_dump()}
