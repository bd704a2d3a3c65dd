"""Turns confirmations and final tests into wire models."""

from service import protocol
from service.api.views import ends, failure_of
from service.domain.confirmation import Difference
from service.domain.ranking import interval_of
from service.operations.confirm import Confirmation, Confirmed
from service.operations.final_test import Tested


def confirmation_view(confirmation: Confirmation) -> protocol.Confirmation:
    return protocol.Confirmation.model_validate(
        {
            "status": confirmation.status.value,
            "seeds": confirmation.seeds,
            "new_splits": confirmation.new_splits,
            "items": [_item(one) for one in confirmation.items],
        }
    )


def final_test_view(tested: Tested) -> protocol.FinalTest:
    trial = tested.trial
    return protocol.FinalTest.model_validate(
        {
            "status": trial.status,
            "trial": trial.source,
            "number": trial.number,
            "params": dict(trial.params),
            "opened_at": tested.opened_at,
            "accuracy": trial.value,
            "interval": ends(interval_of(trial.value, trial.samples)),
            "samples": trial.samples,
            "failure": failure_of(trial),
        }
    )


def _item(confirmed: Confirmed) -> protocol.ConfirmedTrial:
    source, repeats, standing = confirmed.source, confirmed.repeats, confirmed.standing
    values = [trial.value for trial in repeats if trial.value is not None]
    return protocol.ConfirmedTrial(
        trial=source.number,
        params=dict(source.params),
        search_value=source.value,
        repeats=[trial.number for trial in repeats],
        values=values,
        missing=len(repeats) - len(values),
        diverged=standing.diverged,
        mean=standing.mean,
        interval=ends(standing.interval),
        rank=standing.rank,
        leader=standing.leader,
        difference=_difference(standing.difference),
    )


def _difference(difference: Difference | None) -> protocol.Difference | None:
    if difference is None:
        return None
    return protocol.Difference(mean=difference.mean, interval=ends(difference.interval), p=difference.p)
