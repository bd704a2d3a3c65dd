"""Opens a round: new ranges in force, with the evidence for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from service.domain.errors import Fault, InvalidInput, NothingToNarrow, TransitionRefused
from service.domain.rounds import RangeEvidence, Round, Verdict
from service.domain.space import Categorical, FieldError, Numeric, Parameter, Scalar, Space
from service.domain.status import StudyStatus
from service.domain.study import Plan, Study
from service.operations.narrow import Judgement, judge_ranges
from service.operations.objective_check import objective_faults
from service.operations.submit import planned_trials
from service.storage.events import EventKind
from service.storage.store import Signal, Store


@dataclass(frozen=True, slots=True)
class GivenRange:
    """New ends, or new choices, for one parameter; what is None stays."""

    low: float | None = None
    high: float | None = None
    choices: Sequence[Scalar] | None = None


def open_proposed(store: Store, study: Study) -> Round:
    """Open what the study's own policy proposes."""
    return _open_judged(store, study, judge_ranges(store, study), "proposal")


def open_by_policy(store: Store, study: Study, plan: Plan) -> Round:
    """Open what a policy proposes that is named for this once."""
    return _open_judged(store, study, judge_ranges(store, study, plan), f"policy:{plan.policy}")


def open_given(store: Store, study: Study, ranges: Mapping[str, GivenRange]) -> Round:
    """Open ranges given by hand, those not named as they are; never past a parameter's limit."""
    current = store.rounds.get(study.id, study.round)
    given = {name: _given(current.space, name, wanted) for name, wanted in ranges.items()}
    space = current.space.with_ranges(given)
    if faults := objective_faults(replace(study.spec, space=space)):
        raise InvalidInput([Fault(f"ranges.{fault.field.removeprefix('space.')}", fault.message) for fault in faults])
    return _open(store, study, current, space, "by hand", None)


def narrow_by_itself(store: Store, study: Study) -> None:
    """Open the next round where the study asks for one and as many trials of this one have just finished."""
    plan = study.spec.narrowing
    finished = store.rounds.finished(study.id, study.round)
    if plan is None or plan.every is None or finished == 0 or finished % plan.every or not study.draws:
        return
    judgement = judge_ranges(store, study)
    if _narrowed(judgement.ranges):
        _open_judged(store, study, judgement, "automatic")


def _open_judged(store: Store, study: Study, judgement: Judgement, origin: str) -> Round:
    changed = {
        name: evidence.proposed for name, evidence in judgement.ranges.items() if evidence.verdict is not Verdict.KEEP
    }
    if not changed:
        raise NothingToNarrow("; ".join(f"{name}: {e.reason}" for name, e in judgement.ranges.items()))
    evidence = {"policy": judgement.policy, "settings": dict(judgement.settings), "ranges": _as_json(judgement.ranges)}
    space = judgement.round.space.with_ranges(changed)
    return _open(store, study, judgement.round, space, origin, evidence)


def _open(
    store: Store, study: Study, parent: Round, space: Space, origin: str, evidence: Mapping[str, object] | None
) -> Round:
    if study.status is StudyStatus.STOPPED:
        raise TransitionRefused("The study", study.status, "narrowed", "Clone it to search on from its ranges.")
    opened = Round(
        number=store.rounds.last(study.id) + 1,
        parent=parent.number,
        space=space,
        origin=origin,
        evidence=evidence,
        planned=planned_trials(study),
        position=0,
        opened_at=store.now,
    )
    store.rounds.add(study.id, opened)
    store.studies.update(study.id, round=opened.number, ended_by=None if study.ended_by == "space" else study.ended_by)
    store.trials.withdraw_unclaimed(study.id)
    store.events.append(study.id, EventKind.ROUND, store.now, round=opened.number)
    store.announce(Signal.WORK, Signal.HISTORY)
    return opened


def _given(space: Space, name: str, wanted: GivenRange) -> Parameter:
    if name not in space.parameters:
        raise InvalidInput.of(f"ranges.{name}", f"is no parameter of this study; it has {', '.join(space.parameters)}")
    parameter = space.parameters[name]
    fields = {
        field: value
        for field, value in (("low", wanted.low), ("high", wanted.high), ("choices", wanted.choices))
        if value is not None
    }
    wrong = [field for field in fields if not hasattr(parameter, field)]
    if wrong or not fields:
        right = "choices" if isinstance(parameter, Categorical) else "low and high"
        raise InvalidInput.of(f"ranges.{name}.{(wrong or ['low'])[0]}", f"this parameter is given by {right}")
    try:
        return _checked(parameter, fields)
    except FieldError as error:
        raise InvalidInput.of(f"ranges.{name}.{error.field.removeprefix('limit.')}", str(error)) from error


def _checked(parameter: Parameter, fields: Mapping[str, object]) -> Parameter:
    if not isinstance(parameter, Categorical):
        _check_within_limit(parameter, fields)
    changed = replace(parameter, **_in_type(parameter, fields))  # type: ignore[arg-type]
    if not isinstance(changed, Categorical) and changed.spacing is None and changed.low == changed.high:
        raise FieldError("high", "must be above low")
    return changed


def _check_within_limit(parameter: Numeric, fields: Mapping[str, object]) -> None:
    limit, low, high = parameter.limit, fields.get("low"), fields.get("high")
    if limit and limit.low is not None and isinstance(low, int | float) and low < limit.low:
        raise FieldError("low", f"must not be below the limit of this parameter, {limit.low!r}, got {low!r}")
    if limit and limit.high is not None and isinstance(high, int | float) and high > limit.high:
        raise FieldError("high", f"must not be above the limit of this parameter, {limit.high!r}, got {high!r}")
    if parameter.step is not None and isinstance(low, int | float) and not parameter.holds(low):
        raise FieldError("low", f"must be one of the values {parameter.low!r}, {parameter.low!r} + step, ...")


def _in_type(parameter: Parameter, fields: Mapping[str, object]) -> dict[str, object]:
    if parameter.type != "int":
        return dict(fields)
    broken = [name for name, value in fields.items() if not (isinstance(value, float | int) and value == int(value))]
    if broken:
        raise FieldError(broken[0], f"must be an integer, got {fields[broken[0]]!r}")
    return {name: int(value) for name, value in fields.items() if isinstance(value, float | int)}


def _narrowed(ranges: Mapping[str, RangeEvidence]) -> bool:
    return any(evidence.verdict is Verdict.NARROW for evidence in ranges.values())


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
