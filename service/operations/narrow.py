"""Reads from the finished trials what should become of each range."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from service import narrowing
from service.domain.errors import Fault, InvalidInput
from service.domain.rounds import RangeEvidence, Round, Verdict
from service.domain.space import Categorical, Parameter, Space
from service.domain.study import Plan, Spec, Study
from service.narrowing.base import Policy
from service.operations.objective_check import objective_faults, within_objective
from service.operations.plan_check import unknown
from service.operations.selection import selected
from service.operations.settings_check import settings_faults
from service.storage.store import Store

DEFAULT_POLICY = Plan(policy="evidence")
Verdicts: TypeAlias = Mapping[str, RangeEvidence]
Computation: TypeAlias = Callable[[], Verdicts]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdicts of a policy on the round in force."""

    round: Round
    policy: str
    settings: Mapping[str, Any]
    ranges: Verdicts


def at_once(compute: Computation) -> Verdicts:
    return compute()


def judge_ranges(
    store: Store, study: Study, plan: Plan | None = None, run: Callable[[Computation], Verdicts] = at_once
) -> Judgement:
    """The verdicts of a policy: the one given, else the study's own, else the default.

    All that is read is read first; what remains is run by `run`.
    """
    chosen = plan or study.spec.narrowing or DEFAULT_POLICY
    policy = _policy(chosen)
    settings = policy.Settings.model_validate(dict(chosen.settings))
    current = store.rounds.get(study.id, study.round)
    seen = selected(store, study, policy.demand(settings), len(current.space.parameters))
    space = within_objective(study.spec.objective.name, current.space)
    verdicts = run(lambda: policy.judge(space, seen.trials, study.spec.metric.goal, settings))
    told = {name: _as_submitted(current.space.parameters[name], seen.told(said)) for name, said in verdicts.items()}
    return Judgement(
        current, chosen.policy, settings.model_dump(mode="json"), _possible(study.spec, current.space, told)
    )


def _possible(spec: Spec, current: Space, told: dict[str, RangeEvidence]) -> Verdicts:
    """Without changes of ranges that the objective would refuse, alone or together with others."""
    changed = {name: said.proposed for name, said in told.items() if said.verdict is not Verdict.KEEP}
    faults = objective_faults(replace(spec, space=current.with_ranges(changed))) if changed else []
    if not faults:
        return told
    named = {fault.field.split(".")[1]: fault.message for fault in faults if fault.field.startswith("space.")}
    refused = {name: named.get(name, faults[0].message) for name in (named.keys() & changed.keys() or changed.keys())}
    kept = {name: _kept(current.parameters[name], told[name], message) for name, message in refused.items()}
    return _possible(spec, current, {**told, **kept})


def _kept(current: Parameter, said: RangeEvidence, message: str) -> RangeEvidence:
    reason = f"{said.reason} But the objective could not be run with that: it {message.rstrip('.')}."
    return replace(said, verdict=Verdict.KEEP, proposed=current, reason=reason)


def _as_submitted(current: Parameter, said: RangeEvidence) -> RangeEvidence:
    """With the limit that the user gave, and not the objective's."""
    if isinstance(current, Categorical) or isinstance(said.proposed, Categorical):
        return said
    return replace(said, proposed=replace(said.proposed, limit=current.limit))


def _policy(plan: Plan) -> Policy[Any]:
    policy = narrowing.find(plan.policy)
    if policy is None:
        known = [known.name for known in narrowing.known()]
        raise InvalidInput([Fault("policy", unknown("narrowing policy", plan.policy, known))])
    if faults := list(settings_faults(policy.Settings, plan.settings, "settings")):
        raise InvalidInput(faults)
    return policy
