"""Confirmations and final tests as lines for a person."""

from collections.abc import Iterator

from service.protocol import Confirmation, ConfirmedTrial, FinalTest
from shibori.sentences import params_text


def confirmation_lines(confirmation: Confirmation) -> Iterator[str]:
    """How far it is, then a line a trial, the best first."""
    splits = "each on a fresh split" if confirmation.new_splits else "on the study's split"
    yield f"{confirmation.status}: {len(confirmation.items)} trials, {confirmation.seeds} seeds, {splits}"
    yield from (_item(item) for item in confirmation.items)


def final_test_line(tested: FinalTest) -> str:
    """The accuracy, or how it stands."""
    of = f"trial {tested.trial} ({params_text(tested)})"
    if tested.accuracy is None:
        opened = "" if tested.opened_at is None else f"; the test set counts as opened at {tested.opened_at:%F %T} UTC"
        return f"{tested.status}: {of}{opened}"
    samples = "" if tested.samples is None else f" on {tested.samples} test samples"
    return f"test accuracy {tested.accuracy:.4g}{_interval(tested.interval)}{samples}: {of}"


def _item(item: ConfirmedTrial) -> str:
    rank = "-" if item.rank is None else str(item.rank)
    mean = "no value yet" if item.mean is None else f"{item.mean:.4g}{_interval(item.interval)}"
    missing = f", {item.missing} of {len(item.repeats)} missing" if item.missing else ""
    diverged = f", {item.diverged} diverged" if item.diverged else ""
    return f"{rank}. trial {item.trial}: {mean}{missing}{diverged}{_verdict(item)} | {params_text(item)}"


def _verdict(item: ConfirmedTrial) -> str:
    if item.difference is None:
        return ""
    said = "not told apart" if item.leader else "told apart"
    chance = "" if item.difference.p is None else f", p {item.difference.p:.2g}"
    return f", {item.difference.mean:+.2g} from the best ({said}{chance})"


def _interval(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" ({interval[0]:.4g} to {interval[1]:.4g})"
