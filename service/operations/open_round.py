"""Opens a round: new ranges in force, with the evidence for them."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.exc import InterfaceError, InternalError, OperationalError

from service.domain.errors import Fault, InvalidInput, JudgementTooSlow, NothingToNarrow, TransitionRefused
from service.domain.rounds import RangeEvidence, Round, Verdict
from service.domain.space import Categorical, Limit, Parameter, Space
from service.domain.status import StudyStatus
from service.domain.study import Plan, Study
from service.operations.given_ranges import GivenRange, given_parameter
from service.operations.in_time import TookTooLong, within
from service.operations.narrow import Computation, Judgement, Verdicts, judge_ranges
from service.operations.objective_check import objective_faults
from service.operations.search_on import search_on_after_space
from service.operations.submit import planned_trials
from service.storage.condition import cause_of
from service.storage.events import EventKind
from service.storage.store import Signal, Store

log = logging.getLogger("shibori.rounds")

PATIENCE_SECONDS = 5.0
"""Nobody else can write meanwhile, and PostgreSQL ends a session that is silent for twice as long."""


class NotJudged(Exception):
    """A policy has failed, or took too long."""


def open_proposed(store: Store, study: Study) -> Round:
    """Open what the study's own policy proposes."""
    return _open_proposal(store, study, _judgement(store, study), "proposal")


def open_by_policy(store: Store, study: Study, plan: Plan) -> Round:
    """Open what a policy proposes that is named for this once."""
    return _open_proposal(store, study, _judgement(store, study, plan), f"policy:{plan.policy}")


def open_given(store: Store, study: Study, ranges: Mapping[str, GivenRange]) -> Round:
    """Open ranges given by hand, those not named as they are; never past a parameter's limit."""
    current = store.rounds.get(study.id, study.round)
    given = {name: given_parameter(current.space, name, wanted) for name, wanted in ranges.items()}
    return _open(store, study, current.number, current.space.with_ranges(given), "by hand", None)


def undo_round(store: Store, study: Study) -> Round:
    """Open the ranges of the round from which the one in force was made: a child of that one's own parent."""
    current = store.rounds.get(study.id, study.round)
    if current.parent is None:
        raise TransitionRefused("Round 0", "as submitted", "undone", "There was no round before it.")
    before = store.rounds.get(study.id, current.parent)
    if before.space == current.space:
        way_out = "It has the ranges of the round before it already; give ranges by hand instead."
        raise TransitionRefused(f"Round {current.number}", "an undoing itself", "undone", way_out)
    parent = before.number if before.parent is None else before.parent
    return _open(store, study, parent, before.space, f"undo of round {current.number}", None)


def narrow_by_itself(store: Store, study: Study, finished: int) -> None:
    """Open the next round where the study asks for one and as many trials of this one have finished.

    Whatever goes wrong with it, the trial that has finished is recorded.
    """
    plan = study.spec.narrowing
    if plan is None or plan.every is None or finished == 0 or finished % plan.every or not study.draws:
        return
    try:
        with store.tentative() as part:
            _open_automatic(store, study)
            part.keep()
    except Exception as error:
        if _is_of_the_database(error):
            raise
        log.exception("study %s opened no round by itself", study.id)


def _judgement(store: Store, study: Study, plan: Plan | None = None) -> Judgement:
    try:
        return judge_ranges(store, study, plan, _in_time)
    except TookTooLong as error:
        raise JudgementTooSlow(study.spec.name, str(error)) from error


def _is_of_the_database(error: Exception) -> bool:
    """Whether it is in trouble, or all of the transaction is to be done again; not where it refuses what was asked."""
    if isinstance(error, NotJudged):
        return False
    return cause_of(error) is not None or isinstance(error, (OperationalError, InternalError, InterfaceError))


def _in_time(compute: Computation) -> Verdicts:
    return within(PATIENCE_SECONDS, compute)


def _judged(compute: Computation) -> Verdicts:
    try:
        return _in_time(compute)
    except Exception as error:
        raise NotJudged from error


def _open_automatic(store: Store, study: Study) -> None:
    judgement = judge_ranges(store, study, run=_judged)
    current = judgement.round.space.parameters
    safe = {name: within_limits(current[name], evidence.proposed) for name, evidence in judgement.ranges.items()}
    changed = {name: parameter for name, parameter in safe.items() if parameter != current[name]}
    possible = not objective_faults(replace(study.spec, space=judgement.round.space.with_ranges(changed)))
    if changed and possible:
        _open_judged(store, study, judgement, changed, "automatic")


def within_limits(current: Parameter, proposed: Parameter) -> Parameter:
    """What may be opened of a proposal without a person: nobody has allowed an end to move out that has no limit."""
    if isinstance(current, Categorical) or isinstance(proposed, Categorical):
        return proposed
    limit = current.limit or Limit()
    low = proposed.low if limit.low is not None else max(proposed.low, current.low)
    high = proposed.high if limit.high is not None else min(proposed.high, current.high)
    return proposed.within(low, high)


def _open_proposal(store: Store, study: Study, judgement: Judgement, origin: str) -> Round:
    changed = {
        name: evidence.proposed for name, evidence in judgement.ranges.items() if evidence.verdict is not Verdict.KEEP
    }
    if not changed:
        raise NothingToNarrow("; ".join(f"{name}: {e.reason}" for name, e in judgement.ranges.items()))
    return _open_judged(store, study, judgement, changed, origin)


def _open_judged(
    store: Store, study: Study, judgement: Judgement, changed: Mapping[str, Parameter], origin: str
) -> Round:
    evidence = {"policy": judgement.policy, "settings": dict(judgement.settings), "ranges": _as_json(judgement.ranges)}
    space = judgement.round.space.with_ranges(changed)
    return _open(store, study, judgement.round.number, space, origin, evidence)


def _open(
    store: Store, study: Study, parent: int, space: Space, origin: str, evidence: Mapping[str, object] | None
) -> Round:
    if study.status is StudyStatus.STOPPED:
        raise TransitionRefused("The study", study.status, "narrowed", "Clone it to search on from its ranges.")
    if faults := objective_faults(replace(study.spec, space=space)):
        raise InvalidInput([Fault(f"ranges.{fault.field.removeprefix('space.')}", fault.message) for fault in faults])
    opened = Round(
        number=store.rounds.last(study.id) + 1,
        parent=parent,
        space=space,
        origin=origin,
        evidence=evidence,
        planned=planned_trials(study),
        position=0,
        opened_at=store.now,
    )
    store.rounds.add(study.id, opened)
    store.studies.update(study.id, round=opened.number)
    search_on_after_space(store, study)
    store.trials.withdraw_unclaimed(study.id)
    store.events.append(study.id, EventKind.ROUND, store.now, round=opened.number)
    store.announce(Signal.WORK, Signal.HISTORY)
    return opened


def _as_json(ranges: Mapping[str, RangeEvidence]) -> dict[str, object]:
    return {
        name: {
            "verdict": evidence.verdict,
            "reason": evidence.reason,
            "confidence": evidence.confidence,
            "trials": list(evidence.trials),
        }
        for name, evidence in ranges.items()
    }
