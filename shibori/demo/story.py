"""What the demonstration does and says, from the submission to the one look at the test set."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from client import ApiError, Client
from service.protocol import BestTrial, FinalTest, RoundRequest, RoundView, StudyPatch
from shibori.confirmed import confirmation_lines, final_test_line
from shibori.progress import follow
from shibori.sentences import params_text, value_text, verdict_lines

SHOWN, CONFIRMED, SEEDS = 20, 5, 5
LOOK_SECONDS = 0.1
SEARCH_ON = {"search": {"algorithm": "bayesian"}, "pruning": {"policy": "asha"}}


class Unfinished(Exception):
    """A training that the story needs has not come to its end; the message says why."""


@dataclass(frozen=True, slots=True)
class Story:
    client: Client
    study: str
    sleep: Callable[[float], None]

    def first_round(self, trials: int) -> None:
        """The search as submitted, its best, and what they say of the ranges."""
        self.finish(trials)
        click.echo(f"\nThe best {SHOWN}:")
        click.echo(self.client.best_text(self.study, SHOWN), nl=False)
        click.echo("\nWhat the evidence says of each range:")
        for line in verdict_lines(self.client.narrowing(self.study)):
            click.echo(f"  {line}")

    def second_round(self, trials: int, more: int) -> None:
        """A Bayesian search in the box that the evidence proposes, with early stopping, and what it brought."""
        before = self._best()
        self._open(RoundRequest.model_validate({"from": "proposal"}))
        # The round first: a budget raised before it would draw trials from the old box.
        click.echo(f"{more} more trials by a Bayesian search; a trial that is behind the others is stopped early:")
        self.client.patch(self.study, StudyPatch.model_validate({"budget": {"trials": trials + more}, **SEARCH_ON}))
        self.finish(more)
        click.echo(f"{self._stopped_early()}\n{change_of(before, self._best())}")

    def narrow(self) -> None:
        """The classic way on: the box of the best five."""
        self._open(RoundRequest(policy="leaders"))

    def confirm(self) -> None:
        """The best again, with fresh seeds."""
        click.echo(f"\nThe best {CONFIRMED}, each trained again with {SEEDS} fresh seeds:")
        seen = self.client.confirm(self.study, CONFIRMED, SEEDS)
        while seen.status != "completed":
            self.sleep(LOOK_SECONDS)
            seen = self.client.confirmation(self.study)
        for line in confirmation_lines(seen):
            click.echo(f"  {line}")

    def test(self, trial: int | None = None) -> FinalTest:
        """The one look at the test set."""
        tested = self.client.final_test(self.study, trial)
        while tested.status in ("waiting", "running"):
            self.sleep(LOOK_SECONDS)
            tested = self.client.final_test_result(self.study)
        if tested.accuracy is None:
            raise Unfinished(tested.failure.message if tested.failure else f"The final test was {tested.status}.")
        click.echo(f"  {final_test_line(tested)}")
        return tested

    def best(self) -> BestTrial:
        """The best trial of the search; raises Unfinished where none has a value."""
        if (best := self._best()) is None:
            raise Unfinished("No trial of the search has a value.")
        return best

    def save_figure(self, path: Path) -> None:
        path.write_bytes(self.client.figure(self.study, "learning-curves"))
        click.echo(f"The learning curves of the best {SHOWN} so far are drawn in {path}")

    def _open(self, wanted: RoundRequest) -> None:
        try:
            opened = self.client.open_round(self.study, wanted)
        except ApiError as error:
            if error.slug != "nothing-to-narrow":
                raise
            click.echo(f"\nThe second round keeps the ranges. {error}")
        else:
            _say_ranges(opened)

    def finish(self, trials: int) -> None:
        """Waits for the trials that the budget has left, and says how long they took."""
        began_at = time.monotonic()
        follow(self.client, self.study, self.sleep)
        click.echo(f"{trials} trials took {time.monotonic() - began_at:.1f} s.")

    def _stopped_early(self) -> str:
        return f"{self.client.study(self.study).counts.pruned} of them were stopped early."

    def _best(self) -> BestTrial | None:
        return next(iter(self.client.best(self.study, 1).items), None)


def change_of(before: BestTrial | None, after: BestTrial | None) -> str:
    """A sentence on what the second round did to the best."""
    if after is None:
        return "No trial has a value."
    found = f"trial {after.number} of round {after.round} ({params_text(after)})"
    if before is None:
        return f"The best is now {value_text(after)}: {found}."
    if before.id == after.id:
        return f"The best is still {value_text(after)}, {found}: no trial of the second round is above it."
    return f"The best went from {value_text(before)} to {value_text(after)}: {found}."


def _say_ranges(opened: RoundView) -> None:
    click.echo(f"\nRound {opened.number} is open, with these ranges:")
    for name, parameter in opened.ranges.items():
        click.echo(f"  {name}: {parameter.from_unit(0.0):.3g} .. {parameter.from_unit(1.0):.3g}")
