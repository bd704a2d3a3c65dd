"""What the demonstration does and says, from the submission to the figure."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from client import ApiError, Client
from service.protocol import BestTrial, StudyPatch
from shibori.progress import follow
from shibori.sentences import params_text, value_text, verdict_lines

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Story:
    client: Client
    study: str
    sleep: Callable[[float], None]

    def first_round(self, trials: int) -> None:
        """The search as submitted, its best, and what they say of the ranges."""
        self._follow(trials)
        click.echo(f"\nThe best {SHOWN}:")
        click.echo(self.client.best_text(self.study, SHOWN), nl=False)
        click.echo("\nWhat the evidence says of each range:")
        for line in verdict_lines(self.client.narrowing(self.study)):
            click.echo(f"  {line}")

    def second_round(self, trials: int, more: int) -> None:
        """More trials in the narrowed box, and what they brought."""
        before = self._best()
        self._open_round()
        # The round first: a budget raised before it would draw trials from the old box.
        self.client.patch(self.study, StudyPatch.model_validate({"budget": {"trials": trials + more}}))
        self._follow(more)
        click.echo(f"\n{change_of(before, self._best())}")

    def save_figure(self, path: Path) -> None:
        path.write_bytes(self.client.figure(self.study, "learning-curves"))
        click.echo(f"The learning curves of the best {SHOWN} of both rounds are drawn in {path}")

    def _open_round(self) -> None:
        try:
            opened = self.client.open_proposed_round(self.study)
        except ApiError as error:
            if error.slug != "nothing-to-narrow":
                raise
            click.echo(f"\nThe second round keeps the ranges. {error}")
        else:
            click.echo(f"\nRound {opened.number} is open, with these ranges:")
            for name, parameter in opened.ranges.items():
                click.echo(f"  {name}: {parameter.from_unit(0.0):.3g} .. {parameter.from_unit(1.0):.3g}")

    def _follow(self, trials: int) -> None:
        began_at = time.monotonic()
        follow(self.client, self.study, self.sleep)
        click.echo(f"{trials} trials took {time.monotonic() - began_at:.1f} s.")

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
