"""Studies and verdicts as lines for a person."""

from collections.abc import Iterator

from service.protocol import (
    ConfirmedTrial,
    FinalTest,
    Importance,
    Narrowing,
    ParameterImportance,
    Params,
    ProposedRange,
    RangeVerdict,
    Replay,
    StudyView,
    TrialView,
)

IMPORTANCE = ("PARAMETER", "IMPORTANCE", "ALONE", "P", "MATTERS")


def finished(study: StudyView) -> int:
    """The trials that came to an end, whichever."""
    counts = study.counts
    return counts.completed + counts.pruned + counts.failed


def progress_of(study: StudyView) -> str:
    """How many trials are finished, of how many."""
    total = study.budget.trials
    return f"{finished(study)}/{total}" if total else str(finished(study))


def value_text(trial: TrialView | None) -> str:
    return "-" if trial is None or trial.value is None else f"{trial.value:.4g}"


def params_text(trial: TrialView | ConfirmedTrial | FinalTest) -> str:
    return ", ".join(f"{name}:{_short(value)}" for name, value in trial.params.items())


def _params(params: Params) -> str:
    """All digits: what is compared must be seen."""
    return ", ".join(f"{name}: {value!r}" for name, value in params.items())


def study_row(study: StudyView) -> tuple[str, ...]:
    return (study.name, study.status, progress_of(study), value_text(study.best), str(study.round))


def study_lines(study: StudyView) -> Iterator[str]:
    yield f"{study.name} ({study.id}): {study.status}" + (f" by {study.ended_by}" if study.ended_by else "")
    counts = ", ".join(f"{count} {status}" for status, count in study.counts.model_dump().items() if count)
    yield f"trials: {progress_of(study)}" + (f" ({counts})" if counts else "")
    if study.best is not None:
        yield f"best {study.metric.name}: {value_text(study.best)} | {params_text(study.best)}"
    yield f"round: {' > '.join(str(number) for number in study.chain)}"
    if study.eta_seconds is not None:
        yield f"about {study.eta_seconds:.0f} s to go"


def replay_lines(replay: Replay) -> Iterator[str]:
    """What a suggestion was, what it is today, and from what it was made."""
    origin, pending = replay.provenance, replay.provenance["pending"]
    yield f"trial {replay.trial}: {_params(replay.params)}"
    yield f"again:   {'no point' if replay.replayed is None else _params(replay.replayed)}"
    yield "They are equal." if replay.equal else "They differ."
    yield (
        f"Made by {origin['algorithm']} in round {origin['round']}, with seed {origin['seed']}, "
        f"from {origin['known']} finished trials and {len(pending) if isinstance(pending, list) else 0} under way."
    )
    if replay.versions != origin["versions"]:
        yield f"Versions then: {origin['versions']}; now: {replay.versions}."


def importance_rows(told: Importance) -> list[tuple[str, ...]]:
    """A heading and a row for each parameter, what weighs most first."""
    ranked = sorted(told.parameters.items(), key=lambda one: (not one[1].matters, -(one[1].importance or 0.0)))
    return [IMPORTANCE, *((name, *_weight(weight)) for name, weight in ranked)]


def _weight(weight: ParameterImportance) -> tuple[str, ...]:
    p_value = "-" if weight.p_value is None else f"{weight.p_value:.2g}"
    return (_share(weight.importance), _share(weight.alone), p_value, "yes" if weight.matters else "not told apart")


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def importance_lines(told: Importance) -> Iterator[str]:
    """From what it was told, and a sentence for each parameter."""
    yield f"From {told.trials} trials, by {told.method}."
    for name, weight in told.parameters.items():
        yield f"{name}: {weight.reason}"


def verdict_lines(narrowing: Narrowing) -> Iterator[str]:
    """A sentence for each range."""
    for name, verdict in narrowing.ranges.items():
        yield f"{name}: {verdict.verdict} {_range(verdict)}{_change(verdict)}: {verdict.reason}"


def _change(verdict: RangeVerdict) -> str:
    return "" if verdict.verdict == "keep" else f" to {_range(verdict.proposed)}"


def _range(bounds: RangeVerdict | ProposedRange) -> str:
    if bounds.choices is not None:
        return "{" + ", ".join(_short(choice) for choice in bounds.choices) + "}"
    return f"{_short(bounds.low)}..{_short(bounds.high)}"


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
