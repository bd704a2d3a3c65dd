"""The settings of the multi-layer net, with their bounds."""

import re
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, create_model, field_validator

from trainer import optimizers
from trainer.activations import ActivationName
from trainer.data.split import validation_size
from trainer.initializers import InitializerName
from trainer.losses import LossName
from trainer.schedules import ScheduleName

DATASET = r"^(mnist|digits|npz:.+|npy:.+)$"
# Trials that differ in these would be judged on different images, or trained on those that others are judged on.
ONE_A_STUDY: dict[str, Any] = {"searchable": False}
LARGEST_TRAIN_SIZE = {"mnist": 60_000, "digits": 1_438}
MOST_NUMBERS = 20_000_000

T = TypeVar("T")
Width = Annotated[int, Field(strict=True, ge=1, le=10_000)]


class NetSettings(BaseModel):
    """What to train a multi-layer net on, of what shape, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)

    dataset: str = Field(
        default="mnist",
        json_schema_extra={"pattern": DATASET, **ONE_A_STUDY},
        description="mnist, digits, npz:PATH for an .npz file on the worker with arrays x and t, or npy:FOLDER for "
        "one with x.npy, which may be larger than memory, and t.npy",
    )
    train_size: int | None = Field(
        default=500,
        ge=2,
        description="images to train and validate on, drawn from the training set; null for all of them",
    )
    validation_fraction: float = Field(
        default=0.2,
        gt=0,
        lt=1,
        json_schema_extra=ONE_A_STUDY,
        description="the share of them that is set aside for validation",
    )
    stratified: bool = Field(
        default=False,
        json_schema_extra=ONE_A_STUDY,
        description="whether each class has its share on both sides of the split",
    )
    standardize: bool = Field(
        default=False, description="whether to give each feature the mean 0 and the deviation 1 of the training images"
    )
    epochs: int = Field(default=50, ge=1, le=1_000_000, description="how often to go through the training images")
    batch_size: int = Field(default=100, ge=1, le=60_000, description="images in a mini-batch")
    replacement: bool = Field(
        default=True,
        description="true: an epoch is max(1, training images // batch_size) batches drawn with replacement; "
        "false: it is a permutation of the training images",
    )
    hidden_sizes: tuple[Width, ...] = Field(
        default=(100, 100, 100, 100, 100, 100),
        max_length=100,
        strict=False,
        description="the width of each hidden layer; an empty list for none",
    )
    hidden_layers: int | None = Field(
        default=None, ge=0, le=100, description="how many hidden layers, all as wide as the first, in place of these"
    )
    hidden_width: Width | None = Field(default=None, description="the width of all hidden layers, in place of theirs")
    activation: ActivationName = Field(default="relu", description="the activation of the hidden layers")
    weight_init: InitializerName = Field(
        default="auto",
        description="standard deviation of the initial weights: he sqrt(2/n), xavier sqrt(1/n) with n the width of "
        "the layer before, auto he for relu and xavier for sigmoid and tanh, std as weight_std says, zero none",
    )
    weight_std: float = Field(
        default=0.01, ge=0, le=1_000, description="standard deviation of the initial weights for weight_init std"
    )
    batch_norm: bool = Field(default=False, description="whether to normalise before each activation")
    dropout: float = Field(
        default=0.0, ge=0, lt=1, description="the share of each hidden layer's units that a step leaves out"
    )
    loss: LossName = Field(
        default="cross_entropy",
        description="cross_entropy of the softmax of the outputs, or mean_squared_error, 1/2 sum (y - t)^2, of them",
    )
    optimizer: str = Field(
        default="sgd",
        json_schema_extra=lambda schema: schema.update(enum=[*sorted(optimizers.known())]),
        description="the rule of the update",
    )
    lr: float = Field(default=0.01, ge=0, le=1_000_000, description="learning rate: the size of a step")
    weight_decay: float = Field(
        default=0.0,
        ge=0,
        le=1_000_000,
        description="lambda of the penalty 1/2 lambda sum W^2 on the weights; with adamw, of W -= lr lambda W",
    )
    l1: float = Field(default=0.0, ge=0, le=1_000_000, description="lambda of the penalty lambda sum |W|")
    max_norm: float | None = Field(
        default=None, gt=0, le=1_000_000, description="the largest length of the weights into a unit; null for any"
    )
    schedule: ScheduleName = Field(
        default="constant",
        description="how the learning rate falls: step by schedule_gamma every schedule_every epochs, exponential by "
        "it every epoch, cosine to 0 over all epochs",
    )
    schedule_gamma: float = Field(default=0.5, gt=0, le=1, description="what step and exponential multiply by")
    schedule_every: int = Field(default=10, ge=1, le=1_000_000, description="the epochs between two steps")
    warmup_epochs: float = Field(
        default=0.0, ge=0, le=1_000_000, description="epochs over which the learning rate rises from 0 first"
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        description="stop after so many epochs in a row without a better validation accuracy; null for never",
    )
    value_of: Literal["last", "best"] = Field(
        default="last", description="the epoch whose numbers are the trial's: the last, or that of the best validation"
    )

    @property
    def widths(self) -> tuple[int, ...]:
        """The width of each hidden layer."""
        return _widths(self.hidden_sizes, self.hidden_layers, self.hidden_width)

    @field_validator("dataset")
    @classmethod
    def _is_known(cls, dataset: str) -> str:
        if not re.fullmatch(DATASET, dataset):
            raise ValueError("must be mnist, digits, npz:PATH or npy:FOLDER")
        return dataset

    @field_validator("train_size")
    @classmethod
    def _is_there(cls, train_size: int | None, info: ValidationInfo) -> int | None:
        dataset = info.data.get("dataset", "")
        largest = LARGEST_TRAIN_SIZE.get(dataset)
        if largest and train_size and train_size > largest:
            raise ValueError(f"must be at most {largest:,}, all training images of {dataset}, or null")
        return train_size

    @field_validator("validation_fraction")
    @classmethod
    def _leaves_some(cls, fraction: float, info: ValidationInfo) -> float:
        size = info.data.get("train_size")
        if size:
            validation_size(size, fraction)
        return fraction

    @field_validator("hidden_sizes", "hidden_layers", "hidden_width")
    @classmethod
    def _fits(cls, value: T, info: ValidationInfo) -> T:
        given = {**info.data, str(info.field_name): value}
        widths = _widths(given.get("hidden_sizes", ()), given.get("hidden_layers"), given.get("hidden_width"))
        weights = sum(inputs * outputs for inputs, outputs in pairwise(widths))
        numbers = weights + sum(widths) * info.data.get("batch_size", 1)
        if numbers > MOST_NUMBERS:
            raise ValueError(
                f"needs {numbers:,} numbers for the weights between hidden layers and their outputs for a batch; "
                f"must be at most {MOST_NUMBERS:,}: take fewer or narrower layers, or a smaller batch_size"
            )
        return value

    @field_validator("hidden_width")
    @classmethod
    def _has_layers(cls, width: int | None, info: ValidationInfo) -> int | None:
        sizes, layers = info.data.get("hidden_sizes"), info.data.get("hidden_layers")
        if sizes == () and layers != 0 and (layers is None) != (width is None):
            raise ValueError("with no hidden_sizes, hidden_layers and hidden_width say the shape together")
        return width

    @field_validator("batch_norm")
    @classmethod
    def _has_a_batch(cls, batch_norm: bool, info: ValidationInfo) -> bool:
        if batch_norm and info.data.get("batch_size") == 1:
            raise ValueError("normalises over a batch: take a batch_size of 2 or more")
        return batch_norm

    @field_validator("optimizer")
    @classmethod
    def _is_registered(cls, optimizer: str) -> str:
        if optimizer not in optimizers.known():
            raise ValueError(f"must be one of {', '.join(sorted(optimizers.known()))}")
        return optimizer


def _widths(sizes: tuple[int, ...], layers: int | None, width: int | None) -> tuple[int, ...]:
    if layers is None:
        return sizes if width is None else (width,) * len(sizes)
    if width is None:
        return sizes[:1] * layers
    return (width,) * layers


def _of_optimizers() -> dict[str, Any]:
    """A field for each setting of the optimizers, null for their own default."""
    fields: dict[str, Any] = {}
    for name, owners in optimizers.settings().items():
        settings = owners.values()
        defaults = ", ".join(f"{owner} {setting.default:g}" for owner, setting in owners.items())
        bounded = Annotated[float, Field(ge=min(one.low for one in settings), lt=max(one.high for one in settings))]
        about = f"{next(iter(settings)).meaning}; null for the default: {defaults}"
        fields[name] = (bounded | None, Field(default=None, description=about))
    return fields


MultiLayerNetSettings = create_model("MultiLayerNetSettings", __base__=NetSettings, **_of_optimizers())
"""The settings of the net, and those of every optimizer there is."""
