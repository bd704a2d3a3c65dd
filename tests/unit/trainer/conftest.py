from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from trainer.data import embedded, folder, idx


@pytest.fixture(autouse=True)
def embedded_data_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHIBORI_DATA_DIR", raising=False)


@pytest.fixture
def no_cache() -> Iterator[None]:
    caches: list[Callable[[], None]] = [embedded.images.cache_clear, folder.images.cache_clear]
    for clear in caches:
        clear()
    yield
    for clear in caches:
        clear()


@lru_cache
def numbered(n: int) -> npt.NDArray[np.uint8]:
    """n images of 2x2 pixels, each with its own number in the first two."""
    pixels = np.zeros((n, 2, 2), np.uint8)
    pixels[:, 0, 0], pixels[:, 0, 1] = np.divmod(np.arange(n), 256)
    return pixels


@pytest.fixture
def idx_folder(tmp_path: Path) -> Path:
    """A folder with a training part of 300 numbered images, and no other."""
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx.written(numbered(300)))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx.written(np.arange(300, dtype=np.uint8) % 3))
    return tmp_path
