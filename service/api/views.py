"""Turns what the domain holds into wire models."""

import json
from datetime import datetime

from service.domain.ranking import Interval
from service.domain.rounds import RangeEvidence, Round
from service.domain.space import Categorical, Parameter
from service.domain.status import Purpose, TrialStatus
from service.domain.trial import Trial
from service.operations.best import Ranked
from service.operations.claim import Claim
from service.operations.narrow import Judgement
from service.operations.show import Shown
from service.protocol import (
    BestTrial,
    Claimed,
    ClaimedTrial,
    Counts,
    Failure,
    KeepWeights,
    Lease,
    Narrowing,
    ProposedRange,
    RangeVerdict,
    RoundView,
    StudyView,
    TrialView,
    WorkerView,
)
from service.storage.workers import Worker


def trial_view(trial: Trial) -> TrialView:
    """A trial as everybody may see it: without its lease."""
    return TrialView.model_validate(_trial_fields(trial))


def best_view(ranked: Ranked) -> BestTrial:
    fields = {"rank": ranked.rank, "interval": ends(ranked.interval), "leader": ranked.leader}
    return BestTrial.model_validate(_trial_fields(ranked.trial) | fields)


def best_line(ranked: Ranked) -> str:
    """One line for a person: rank, value and the values tried."""
    value = "none" if ranked.trial.value is None else f"{ranked.trial.value:.4g}"
    params = ", ".join(f"{name}:{_short(value)}" for name, value in ranked.trial.params.items())
    return f"Best-{ranked.rank} (val acc:{value}) | {params}"


def study_view(shown: Shown, now: datetime) -> StudyView:
    study = shown.study
    stands = {
        "id": study.id,
        "status": study.status,
        "counts": Counts(**{status.value: study.counts.get(status, 0) for status in TrialStatus}),
        "best": None if shown.best is None else trial_view(shown.best),
        "round": study.round,
        "chain": shown.chain,
        "ended_by": study.ended_by,
        "eta_seconds": study.eta_seconds(now),
        "warnings": shown.warnings,
        "created_at": study.created_at,
        "started_at": study.started_at,
        "finished_at": study.finished_at,
    }
    return StudyView.model_validate(json.loads(study.submitted) | stands)


def claimed_view(claims: list[Claim], paused: str | None = None) -> Claimed:
    return Claimed(trials=[_claimed_trial(claim) for claim in claims], paused=paused)


def worker_view(worker: Worker) -> WorkerView:
    return WorkerView(
        name=worker.name,
        objectives=worker.objectives,
        running=worker.running,
        completed=worker.completed,
        failed=worker.failed,
        first_seen_at=worker.first_seen_at,
        last_seen_at=worker.last_seen_at,
        failures_in_a_row=worker.failures_in_a_row,
        paused_at=worker.paused_at,
        paused=worker.paused_reason,
    )


def round_view(opened: Round) -> RoundView:
    return RoundView.model_validate(
        {
            "number": opened.number,
            "parent": opened.parent,
            "ranges": dict(opened.space.parameters),
            "origin": opened.origin,
            "evidence": opened.evidence,
            "opened_at": opened.opened_at,
        }
    )


def narrowing_view(judgement: Judgement) -> Narrowing:
    space = judgement.round.space
    return Narrowing(
        round=judgement.round.number,
        policy=judgement.policy,
        settings=dict(judgement.settings),
        ranges={name: _verdict(space.parameters[name], said) for name, said in judgement.ranges.items()},
    )


def _trial_fields(trial: Trial) -> dict[str, object]:
    return {
        "id": trial.id,
        "study": trial.study_id,
        "study_name": trial.study_name,
        "number": trial.number,
        "status": trial.status,
        "purpose": trial.purpose,
        "params": dict(trial.params),
        "value": trial.value,
        "samples": trial.samples,
        "round": trial.round,
        "attempt": trial.attempt,
        "seed": trial.seed,
        "origin": trial.origin.value,
        "worker": trial.worker,
        "failure": failure_of(trial),
        "stop_reason": trial.stop_reason,
        "source": trial.source,
        "provenance": trial.provenance,
        "created_at": trial.created_at,
        "started_at": trial.started_at,
        "finished_at": trial.finished_at,
    }


def failure_of(trial: Trial) -> Failure | None:
    reason = trial.failure_reason
    return None if reason is None else Failure(reason=reason, message=trial.failure_message or "")


def _claimed_trial(claim: Claim) -> ClaimedTrial:
    trial, spec = claim.trial, claim.study.spec
    assert trial.lease_token is not None
    assert trial.lease_expires_at is not None
    lease = Lease(token=trial.lease_token, expires_at=trial.lease_expires_at, renew_seconds=claim.renew_seconds)
    return ClaimedTrial.model_validate(
        {
            "id": trial.id,
            "study": trial.study_id,
            "study_name": trial.study_name,
            "number": trial.number,
            "attempt": trial.attempt,
            "objective": spec.objective.name,
            "settings": dict(spec.objective.settings),
            "params": dict(trial.params),
            "metric": spec.metric.name,
            "seed": trial.seed,
            "split_seed": spec.search.seed if trial.split is None else trial.split,
            "purpose": trial.purpose,
            "last_epoch": claim.last_epoch,
            "report_at": claim.report_at,
            "curve_ends": [dict(epoch) for epoch in claim.curve_ends],
            "keep_weights": _keep_weights(claim),
            "lease": lease,
        }
    )


def _keep_weights(claim: Claim) -> KeepWeights | None:
    spec = claim.study.spec
    if spec.keep_weights == "none" or claim.trial.purpose is not Purpose.SEARCH:
        return None
    return KeepWeights(goal=spec.metric.goal.value, at_least_as_good_as=claim.best)


def _verdict(current: Parameter, said: RangeEvidence) -> RangeVerdict:
    return RangeVerdict.model_validate(
        {
            "verdict": said.verdict.value,
            **_range(current),
            "proposed": ProposedRange.model_validate(_range(said.proposed)),
            "reason": said.reason,
            "confidence": said.confidence,
            "trials": list(said.trials),
        }
    )


def _range(parameter: Parameter) -> dict[str, object]:
    if isinstance(parameter, Categorical):
        return {"choices": list(parameter.choices)}
    return {"low": parameter.low, "high": parameter.high}


def ends(interval: Interval | None) -> tuple[float, float] | None:
    return None if interval is None else (interval.low, interval.high)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
