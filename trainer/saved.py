"""Trained nets in files: saved as .npz with their settings, loaded to predict with; never a pickle."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np

from trainer.arrays import Floats, Labels
from trainer.data.rows import Scaling
from trainer.errors import DataError
from trainer.losses import softmax
from trainer.network import Architecture, MultiLayerNet
from trainer.normalization import BatchNorm

FORMAT = 1
ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a net has learned: its parameters, and what ran through its normalisations."""

    parameters: Floats
    running: tuple[Floats, ...]

    @classmethod
    def of(cls, network: MultiLayerNet) -> "Snapshot":
        """A copy."""
        return cls(network.parameters.values.copy(), tuple(array.copy() for array in _running(network)))

    def restore(self, network: MultiLayerNet) -> None:
        """Put it into a net of the same architecture; raises DataError where it does not fit."""
        places = (network.parameters.values, *_running(network))
        arrays = (self.parameters, *self.running)
        if [place.shape for place in places] != [array.shape for array in arrays]:
            raise DataError("the saved arrays do not fit the saved architecture: the file is damaged")
        for place, array in zip(places, arrays, strict=True):
            place[...] = array


@dataclass(frozen=True, slots=True)
class Predictor:
    """A trained net, for images as they are stored: what was done to them in training is done here."""

    network: MultiLayerNet
    white: int
    scaling: Scaling | None
    settings: Mapping[str, Any]

    def probabilities(self, pixels: Floats) -> Floats:
        """Of each class, (n, classes), for pixels (n, features): the softmax of the net's outputs."""
        return softmax(self._logits(pixels))

    def predict(self, pixels: Floats) -> Labels:
        """The likeliest class of each image, (n,), for pixels (n, features)."""
        likeliest: Labels = self._logits(pixels).argmax(axis=1)
        return likeliest

    def _logits(self, pixels: Floats) -> Floats:
        features = self.network.architecture.widths[0]
        if pixels.ndim != 2 or pixels.shape[1] != features:
            raise DataError(f"the images have the shape {pixels.shape}: the net takes (n, {features})")
        parts = [self._part(pixels[start : start + ROWS_AT_ONCE]) for start in range(0, len(pixels), ROWS_AT_ONCE)]
        return np.concatenate(parts) if parts else np.empty((0, self.network.architecture.widths[-1]), np.float32)

    def _part(self, pixels: Floats) -> Floats:
        x = pixels.astype(np.float32)
        x /= self.white
        if self.scaling is not None:
            self.scaling.apply(x)
        return self.network.logits(x).copy()


def packed(
    architecture: Architecture, snapshot: Snapshot, *, white: int, scaling: Scaling | None, settings: Mapping[str, Any]
) -> bytes:
    """What a net has learned, with what it was trained with, as the content of an .npz file."""
    about = {"format": FORMAT, "architecture": asdict(architecture), "white": white, "settings": dict(settings)}
    arrays = {"parameters": snapshot.parameters}
    arrays |= {f"running_{place}": array for place, array in enumerate(snapshot.running)}
    if scaling is not None:
        arrays |= {"mean": scaling.mean, "deviation": scaling.deviation}
    content = BytesIO()
    np.savez(content, allow_pickle=False, about=np.array(json.dumps(about)), **arrays)
    return content.getvalue()


def load(file: Path | IO[bytes]) -> Predictor:
    """Read a saved net; raises DataError where the file is none."""
    if isinstance(file, Path):
        try:
            with file.open("rb") as opened:
                return load(opened)
        except OSError as error:
            raise DataError(f"{file} cannot be read ({error.strerror}): name a file that was saved here") from error
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return _read(arrays)
    except DataError:
        raise
    except Exception as error:
        # What a damaged archive makes numpy and zipfile raise is no short list.
        raise DataError(f"this is no net that was saved here: {error}") from error


def _read(arrays: Mapping[str, Any]) -> Predictor:
    about = json.loads(str(arrays["about"]))
    if about["format"] != FORMAT:
        raise DataError(f"the file has format {about['format']} and this version reads {FORMAT}")
    architecture = Architecture(**about["architecture"])
    parameters = _numbers(arrays, "parameters", _size(architecture))
    network = MultiLayerNet(architecture, ROWS_AT_ONCE, initializer=_left_at_zero, rng=np.random.default_rng(0))
    running = tuple(_numbers(arrays, f"running_{n}", array.size) for n, array in enumerate(_running(network)))
    Snapshot(parameters, running).restore(network)
    return Predictor(network, _white(about["white"]), _scaling(arrays, architecture.widths[0]), about["settings"])


def _size(architecture: Architecture) -> int:
    """How many parameters a net has, before any of it is made."""
    widths = architecture.widths
    affine = sum((inputs + 1) * outputs for inputs, outputs in pairwise(widths))
    return affine + (2 * sum(widths[1:-1]) if architecture.batch_norm else 0)


def _numbers(arrays: Mapping[str, Any], name: str, size: int) -> Floats:
    array: Floats = arrays[name]
    if array.dtype.kind != "f" or array.shape != (size,) or not np.isfinite(array.astype(np.float32)).all():
        raise DataError(f"the saved array {name} does not fit the saved architecture: the file is damaged")
    return array


def _scaling(arrays: Mapping[str, Any], features: int) -> Scaling | None:
    if "mean" not in arrays:
        return None
    mean, deviation = (_numbers(arrays, name, features) for name in ("mean", "deviation"))
    if not np.all(deviation > 0):
        raise DataError("the saved deviation is not above 0 everywhere: the file is damaged")
    return Scaling(mean, deviation)


def _white(white: object) -> int:
    if not isinstance(white, int) or white < 1:
        raise DataError(f"white is {white!r} in the file, and must be an integer above 0: the file is damaged")
    return white


def _left_at_zero(weights: Floats, rng: np.random.Generator) -> None:
    """Nothing to draw: what was learned takes the place."""


def _running(network: MultiLayerNet) -> tuple[Floats, ...]:
    layers = [layer for layer in network.layers if isinstance(layer, BatchNorm)]
    return tuple(array for layer in layers for array in (layer.running_mean, layer.running_variance))
