"""The settings of the multi-layer net, with their bounds."""

from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from trainer import optimizers
from trainer.activations import ActivationName
from trainer.data.split import validation_size
from trainer.initializers import InitializerName

DATASET = r"^(mnist|digits|npz:.+)$"
LARGEST_TRAIN_SIZE = {"mnist": 60_000, "digits": 1_438}
MOST_NUMBERS = 20_000_000

Width = Annotated[int, Field(strict=True, ge=1, le=10_000)]


class MultiLayerNetSettings(BaseModel):
    """What to train a multi-layer net on, of what shape, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)

    dataset: str = Field(
        default="mnist",
        json_schema_extra={"pattern": DATASET},
        description="mnist, digits, or npz:PATH for an .npz file on the worker with arrays x and t",
    )
    train_size: int | None = Field(
        default=500,
        ge=2,
        description="images to train and validate on, drawn from the training set; null for all of them",
    )
    validation_fraction: float = Field(
        default=0.2, gt=0, lt=1, description="the share of them that is set aside for validation"
    )
    epochs: int = Field(
        default=50, ge=1, le=1_000_000, description="epochs of max(1, training images // batch_size) steps"
    )
    batch_size: int = Field(default=100, ge=1, le=60_000, description="images in a mini-batch, drawn with replacement")
    hidden_sizes: tuple[Width, ...] = Field(
        default=(100, 100, 100, 100, 100, 100),
        max_length=100,
        strict=False,
        description="the width of each hidden layer; an empty list for none",
    )
    activation: ActivationName = Field(default="relu", description="the activation of the hidden layers")
    weight_init: InitializerName = Field(
        default="auto",
        description="standard deviation of the initial weights: he sqrt(2/n), xavier sqrt(1/n) with n the width of "
        "the layer before, auto he for relu and xavier for sigmoid and tanh, std as weight_std says",
    )
    weight_std: float = Field(
        default=0.01, ge=0, le=1_000, description="standard deviation of the initial weights for weight_init std"
    )
    optimizer: str = Field(
        default="sgd",
        json_schema_extra=lambda schema: schema.update(enum=[*sorted(optimizers.known())]),
        description="the rule of the update",
    )
    momentum: float = Field(
        default=0.9, ge=0, lt=1, description="how much of its velocity the momentum optimizer keeps"
    )
    lr: float = Field(default=0.01, ge=0, le=1_000_000, description="learning rate: the size of a step")
    weight_decay: float = Field(
        default=0.0, ge=0, le=1_000_000, description="lambda of the penalty 1/2 lambda sum W^2 on the weights"
    )

    @field_validator("dataset")
    @classmethod
    def _is_known(cls, dataset: str) -> str:
        if dataset not in LARGEST_TRAIN_SIZE and not (dataset.startswith("npz:") and len(dataset) > len("npz:")):
            raise ValueError("must be mnist, digits or npz:PATH")
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

    @field_validator("hidden_sizes")
    @classmethod
    def _fits(cls, widths: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        weights = sum(inputs * outputs for inputs, outputs in pairwise(widths))
        numbers = weights + sum(widths) * info.data.get("batch_size", 1)
        if numbers > MOST_NUMBERS:
            raise ValueError(
                f"needs {numbers:,} numbers for the weights between hidden layers and their outputs for a batch; "
                f"must be at most {MOST_NUMBERS:,}: take fewer or narrower layers, or a smaller batch_size"
            )
        return widths

    @field_validator("optimizer")
    @classmethod
    def _is_registered(cls, optimizer: str) -> str:
        if optimizer not in optimizers.known():
            raise ValueError(f"must be one of {', '.join(sorted(optimizers.known()))}")
        return optimizer
