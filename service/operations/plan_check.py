"""Checks the search, narrowing and pruning of a study against what this server has."""

from collections.abc import Iterator

from service import narrowing, pruning, search
from service.domain.errors import Fault
from service.domain.space import IntRange
from service.domain.study import Plan, Spec
from service.operations.prune import course_of
from service.operations.settings_check import settings_faults
from service.search.packages import lack


def plan_faults(spec: Spec) -> list[Fault]:
    """What is unknown to this server, or set wrongly."""
    return [*_search_faults(spec), *_narrowing_faults(spec.narrowing), *_pruning_faults(spec)]


def unknown(what: str, name: str, known: list[str]) -> str:
    """The sentence for a name that this server does not have."""
    if not known:
        return f"this server has no {what}; leave the block out"
    return f"this server has no {what} {name!r}; it has {', '.join(known)}"


def _search_faults(spec: Spec) -> Iterator[Fault]:
    algorithm = search.find(spec.search.algorithm)
    if algorithm is None:
        known = [known.name for known in search.available()]
        yield Fault("search.algorithm", unknown("search algorithm", spec.search.algorithm, known))
        return
    if sentence := lack(algorithm):
        yield Fault("search.algorithm", sentence)
        return
    wrong = list(settings_faults(algorithm.Settings, spec.search.settings, "search.settings"))
    yield from wrong
    if not wrong:
        settings = algorithm.Settings.model_validate(dict(spec.search.settings))
        for place, sentence in algorithm.faults(spec.space, settings):
            yield Fault(f"search.settings.{place}".rstrip("."), sentence)


def _narrowing_faults(plan: Plan | None) -> Iterator[Fault]:
    if plan is None:
        return
    policy = narrowing.find(plan.policy)
    if policy is None:
        known = [known.name for known in narrowing.known()]
        yield Fault("narrowing.policy", unknown("narrowing policy", plan.policy, known))
        return
    yield from settings_faults(policy.Settings, plan.settings, "narrowing.settings")


def _pruning_faults(spec: Spec) -> Iterator[Fault]:
    plan = spec.pruning
    if plan is None:
        return
    rule = pruning.find(plan.policy)
    if rule is None:
        yield Fault("pruning.policy", unknown("pruning rule", plan.policy, [known.name for known in pruning.known()]))
        return
    wrong = list(settings_faults(rule.Settings, plan.settings, "pruning.settings"))
    yield from wrong
    if not wrong:
        settings = rule.Settings.model_validate(dict(plan.settings))
        for place, sentence in rule.faults(course_of(spec, 0, _longest(spec)), settings):
            yield Fault(f"pruning.{place}", sentence)


def _longest(spec: Spec) -> object:
    """The most epochs that a run may have, where they are searched."""
    epochs = spec.space.parameters.get("epochs")
    return epochs.high if isinstance(epochs, IntRange) else None
