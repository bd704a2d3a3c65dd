"""Experiments with known outcomes, one file each; a new file in this folder registers itself."""

from functools import cache

from trainer.experiments.base import Experiment, Finding
from trainer.registry import classes

__all__ = ["Experiment", "Finding", "known"]


@cache
def known() -> dict[str, Experiment]:
    """The experiments by name, in the order of their names."""
    found = [kind() for kind in classes(__name__, Experiment)]
    return {experiment.name: experiment for experiment in sorted(found, key=lambda one: one.name)}
