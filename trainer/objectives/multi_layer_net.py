"""The multi-layer net on handwritten digits, or on data of one's own."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from statistics import median
from typing import ClassVar

from pydantic import BaseModel

from trainer.data import Images, training_images
from trainer.data.held_out import require_test_images
from trainer.data.rows import Rows, Scaling
from trainer.data.split import Split, split, together
from trainer.network import Architecture, MultiLayerNet
from trainer.objectives import multi_layer_net_parts as parts
from trainer.objectives.base import Objective, Result
from trainer.objectives.multi_layer_net_settings import MultiLayerNetSettings, NetSettings
from trainer.saved import Snapshot, packed
from trainer.training import fit, train


class MultiLayerNetObjective(Objective):
    """784 - 6 x 100 - 10 on 500 images of MNIST, unless the settings say otherwise (Saitoh 2016, 6.5)."""

    name: ClassVar[str] = "multi_layer_net"
    metrics: ClassVar[tuple[str, ...]] = ("validation_accuracy", "train_accuracy", "train_loss")
    Settings: ClassVar[type[BaseModel]] = MultiLayerNetSettings
    has_test_set: ClassVar[bool] = True

    def train(self, settings: NetSettings, *, seed: int, split_seed: int) -> Generator[dict[str, float], None, Result]:
        """Hand out the epoch, train_loss, train_accuracy and validation_accuracy after each epoch.

        With them go best_epoch and best_validation_accuracy: the first epoch with the highest accuracy so far.
        """
        data = _data(settings, split_seed)
        initial, batches, dropout = parts.generators(seed)
        network = parts.network(settings, data.train.features, data.classes, initial, dropout)
        optimizer = parts.optimizer(settings, network)
        best: dict[str, float] = {}
        learned: Snapshot | None = None
        for epoch in train(network, optimizer, data, parts.plan(settings), batches):
            last = asdict(epoch)
            if not best or last["validation_accuracy"] > best["validation_accuracy"]:
                best = last
                learned = Snapshot.of(network) if settings.value_of == "best" else None
            yield last | {"best_epoch": best["epoch"], "best_validation_accuracy": best["validation_accuracy"]}
        counts = best if settings.value_of == "best" else last
        pack = partial(_packed, settings, data, network.architecture, learned or Snapshot.of(network))
        return Result({name: counts[name] for name in self.metrics}, _samples(data), pack)

    def final_test(
        self, settings: NetSettings, *, seed: int, split_seed: int, ends: Sequence[Mapping[str, float]]
    ) -> Generator[dict[str, float], None, Result]:
        """Hand out the epoch, train_loss and train_accuracy after each epoch; nothing is left to validate on.

        It takes as many epochs as train did for these settings: the median, where patience or value_of decided.
        """
        require_test_images(settings.dataset)
        images = training_images(settings.dataset)
        rows, scaling = _all_rows(settings, images, split_seed)
        initial, batches, dropout = parts.generators(seed)
        network = parts.network(settings, rows.features, images.classes, initial, dropout)
        plan = replace(parts.plan(settings), epochs=_epochs(settings, ends))
        for epoch in fit(network, parts.optimizer(settings, network), rows, plan, batches):
            last = asdict(epoch)
            yield last
        accuracy, samples = _tested(settings.dataset, network, scaling)
        return Result(
            {"test_accuracy": accuracy, "train_accuracy": last["train_accuracy"], "train_loss": last["train_loss"]},
            {"test_accuracy": samples, "train_accuracy": len(rows.t)},
        )


def _data(settings: NetSettings, split_seed: int) -> Split:
    images = training_images(settings.dataset)
    data = split(
        images,
        settings.train_size,
        settings.validation_fraction,
        split_seed=split_seed,
        stratified=settings.stratified,
    )
    return data.standardised() if settings.standardize else data


def _all_rows(settings: NetSettings, images: Images, split_seed: int) -> tuple[Rows, Scaling | None]:
    rows = together(
        images,
        settings.train_size,
        settings.validation_fraction,
        split_seed=split_seed,
        stratified=settings.stratified,
    )
    if not settings.standardize:
        return rows, None
    scaling = Scaling.of(rows)
    return rows.scaled(scaling), scaling


def _epochs(settings: NetSettings, ends: Sequence[Mapping[str, float]]) -> int:
    """How long to train with nothing held out: as long as validation let it (Goodfellow et al. 2016, 7.8)."""
    if settings.patience is None and settings.value_of == "last":
        return settings.epochs
    decided = "best_epoch" if settings.value_of == "best" else "epoch"
    seen = [end[decided] for end in ends if decided in end]
    return round(median(seen)) if seen else settings.epochs


def _tested(dataset: str, network: MultiLayerNet, scaling: Scaling | None) -> tuple[float, int]:
    """The accuracy on the test images, and how many they are."""
    # Here and nowhere else in what a worker runs: all other code is loaded without it.
    from trainer.test_sets import opened

    features, *_, classes = network.architecture.widths
    rows = opened(dataset, features=features, classes=classes)
    if scaling is not None:
        rows = rows.scaled(scaling)
    return network.judge(rows.parts(network.rows))[1], len(rows.t)


def _packed(settings: NetSettings, data: Split, architecture: Architecture, learned: Snapshot) -> bytes:
    return packed(
        architecture, learned, white=data.white, scaling=data.scaling, settings=settings.model_dump(mode="json")
    )


def _samples(data: Split) -> dict[str, int]:
    return {"validation_accuracy": len(data.validation.t), "train_accuracy": len(data.train.t)}
