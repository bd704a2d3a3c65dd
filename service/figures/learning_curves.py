"""The learning curves of the best 20 trials, validation solid and training dashed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.domain.study import Study
from service.domain.trial import Trial
from service.storage.attempts import EpochNumbers
from service.storage.store import Store

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

ROWS, COLUMNS = 4, 5
VALIDATION, TRAINING = "validation_accuracy", "train_accuracy"


@dataclass(frozen=True, slots=True)
class LearningCurves:
    """A grid of 4 x 5, the best trial first, every axis from 0 to 1."""

    name: str = "learning-curves"

    def draw(self, store: Store, study: Study) -> "Drawing":
        # Drawing costs half a second to import, and most servers never draw.
        from matplotlib.figure import Figure as Drawing

        best = store.trials.best(study.id, study.spec.metric.goal, ROWS * COLUMNS)
        drawing = Drawing(figsize=(13, 9.5), layout="constrained")
        grid = drawing.subplots(ROWS, COLUMNS, sharex=True, sharey=True, squeeze=False)
        for rank, axes in enumerate(grid.flat):
            if rank < len(best):
                _plot(axes, rank + 1, best[rank], store.attempts.curve(best[rank].id))
            else:
                axes.set_axis_off()
        removed = sum(store.curves.is_removed(trial.id) for trial in best)
        without = f", of which {removed} had their curves removed" if removed else ""
        drawing.suptitle(f"{study.name}: the best {len(best)} trials{without}")
        drawing.supxlabel("epoch")
        drawing.supylabel("accuracy")
        drawing.legend(*grid.flat[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
        return drawing


def _plot(axes: "Axes", rank: int, trial: Trial, curve: Sequence[EpochNumbers]) -> None:
    for metric, style, label in ((VALIDATION, "-", "validation"), (TRAINING, "--", "training")):
        points = [(epoch["epoch"], epoch[metric]) for epoch in curve if metric in epoch]
        axes.plot([x for x, _ in points], [y for _, y in points], style, label=label)
    axes.set_ylim(0, 1)
    axes.set_title(f"Best-{rank}  {trial.value:.3g}\n{_params(trial)}", fontsize=8)


def _params(trial: Trial) -> str:
    shown = [
        f"{name} {value:.2g}" if isinstance(value, float) else f"{name} {value}" for name, value in trial.params.items()
    ]
    return ", ".join(shown[:3])


FIGURE = LearningCurves()
