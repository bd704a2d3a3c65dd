"""`python -m trainer.experiments [NAME ...]`: runs experiments, draws them, says whether the known came out."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from trainer.data import training_images
from trainer.errors import DataError
from trainer.experiments import Experiment, known


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line of JSON an experiment; the exit code is 0 where all agree, 1 where one does not, 2 for no data."""
    parser = argparse.ArgumentParser(prog="python -m trainer.experiments", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *known()], help=f"of {', '.join(known())}")
    parser.add_argument("--to", type=Path, default=Path("experiments"), help="folder for the figures")
    chosen = parser.parse_args(arguments)
    chosen.to.mkdir(parents=True, exist_ok=True)
    try:
        agreed = [_run(known()[name], chosen.to) for name in chosen.names or known()]
    except DataError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0 if all(agreed) else 1


def _run(experiment: Experiment, folder: Path) -> bool:
    figure = Figure(figsize=experiment.size, layout="constrained")
    FigureCanvasAgg(figure)
    started = perf_counter()
    finding = experiment.run(figure)
    path = folder / f"{experiment.name}.png"
    figure.savefig(path, dpi=110)
    line = {
        "experiment": experiment.name,
        "setting": experiment.setting,
        "mnist_training_images": len(training_images("mnist")),
        "measured": finding.measured,
        "statements": {statement: bool(holds) for statement, holds in finding.statements.items()},
        "agrees": finding.agrees,
        "figure": str(path),
        "seconds": round(perf_counter() - started, 1),
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    return finding.agrees


if __name__ == "__main__":
    sys.exit(main())
