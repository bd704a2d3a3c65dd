"""Experiments with known outcomes, one file each; a new file in this folder registers itself."""

from functools import cache

from trainer.experiments.base import Experiment, Finding
from trainer.registry import by_name, classes

__all__ = ["Experiment", "Finding", "known"]


@cache
def known() -> dict[str, Experiment]:
    """The experiments by name, in the order of their names."""
    return {name: kind() for name, kind in sorted(by_name(classes(__name__, Experiment)).items())}
