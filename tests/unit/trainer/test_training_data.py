import gzip
import os
import shutil
import struct
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data import embedded, folder, idx, training_images
from trainer.data.images import Images
from trainer.data.split import Split, split
from trainer.datasets import make
from trainer.errors import DataError, NotEnoughData
from trainer.test_sets import held_out_images

FULL = os.environ.get("SHIBORI_TEST_MNIST")
PARTS = [("mnist", 784, 5_000, 1_000, 255), ("digits", 64, 1_438, 359, 16)]


def numbered(n: int) -> Images:
    return Images(np.arange(n, dtype=np.float32)[:, None], np.arange(n) % 2, 1, "take fewer")


def numbers(data: Split) -> tuple[list[int], list[int]]:
    return [int(i) for i in data.train.x[:, 0]], [int(i) for i in data.validation.x[:, 0]]


@pytest.mark.parametrize(("dataset", "features", "train", "test", "white"), PARTS)
def test_the_embedded_sets_are_complete(dataset: str, features: int, train: int, test: int, white: int) -> None:
    images, held_out = training_images(dataset), held_out_images(dataset)
    assert images.pixels.shape == (train, features)
    assert held_out.pixels.shape == (test, features)
    assert images.classes == held_out.classes == 10
    assert int(images.pixels.max()) == white
    assert np.bincount(images.labels).min() > 0.08 * train


def test_the_embedded_files_are_those_that_were_recorded() -> None:
    recorded = embedded.checksums()
    files = {str(path.relative_to(embedded.DATASETS)): path for path in embedded.DATASETS.glob("*/*.gz")}
    assert {name: sha256(path.read_bytes()).hexdigest() for name, path in files.items()} == recorded
    assert sum(path.stat().st_size for path in files.values()) < 1.1e6


def test_the_digits_are_made_byte_for_byte_as_they_are_embedded() -> None:
    for name, content in make.digits().items():
        assert content == (embedded.DATASETS / name).read_bytes()


def test_no_image_of_the_digits_is_in_both_sets() -> None:
    train, test = training_images("digits").pixels, held_out_images("digits").pixels
    assert not {row.tobytes() for row in train} & {row.tobytes() for row in test}


@pytest.mark.skipif(not FULL, reason="SHIBORI_TEST_MNIST names no folder with the full set")
def test_the_embedded_mnist_is_what_the_full_set_begins_with(tmp_path: Path) -> None:
    make.main([FULL or "", "--to", str(tmp_path)])
    assert (tmp_path / "SHA256SUMS").read_text() == (embedded.DATASETS / "SHA256SUMS").read_text()
    for part in ("train", "t10k"):
        full, subset = folder.images(Path(FULL or ""), part), embedded.images("mnist", part)
        np.testing.assert_array_equal(full.pixels[: len(subset)], subset.pixels)
        np.testing.assert_array_equal(full.labels[: len(subset)], subset.labels)
        assert full.common == subset.common == len(subset)


def test_mnist_is_embedded_by_the_script_from_a_folder_of_idx_files(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for part, size in (("train", 6_000), ("t10k", 1_100)):
        pixels = np.random.default_rng(0).integers(256, size=(size, 2, 2), dtype=np.uint8)
        (source / f"{part}-images-idx3-ubyte").write_bytes(idx.written(pixels))
        (source / f"{part}-labels-idx1-ubyte").write_bytes(idx.written(np.arange(size, dtype=np.uint8) % 10))
    for copy in ("one", "two"):
        make.main([str(source), "--to", str(tmp_path / copy)])
    assert (tmp_path / "one/SHA256SUMS").read_bytes() == (tmp_path / "two/SHA256SUMS").read_bytes()
    packed = tmp_path / "one/mnist/train-images-idx3-ubyte.gz"
    assert idx.read_images(gzip.decompress(packed.read_bytes()), "made").shape == (5_000, 4)


@pytest.mark.usefixtures("no_cache")
def test_a_damaged_or_missing_embedded_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = shutil.copytree(embedded.DATASETS, tmp_path / "datasets")
    monkeypatch.setattr(embedded, "DATASETS", copy)
    images = copy / "digits" / "train-images-idx3-ubyte.gz"
    images.write_bytes(images.read_bytes() + b"!")
    with pytest.raises(DataError, match="does not match its checksum: install shibori again"):
        training_images("digits")
    images.unlink()
    with pytest.raises(DataError, match="is missing: install shibori again"):
        training_images("digits")


@pytest.mark.usefixtures("no_cache")
@pytest.mark.parametrize("dataset", ["mnist", "digits"])
def test_training_images_are_read_without_the_test_files(
    dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(embedded.DATASETS, tmp_path / "datasets", ignore=shutil.ignore_patterns("t10k*"))
    monkeypatch.setattr(embedded, "DATASETS", copy)
    assert len(training_images(dataset)) > 1_000
    with pytest.raises(DataError, match="is missing"):
        held_out_images(dataset)


@pytest.mark.parametrize("program", ["trainer.objectives", "worker.child", "service.app", "shibori.commands.study"])
def test_nothing_imports_the_test_sets_before_the_final_test(program: str) -> None:
    code = f"import sys, {program}, trainer.objectives as o; o.known(); print('trainer.test_sets' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_data_set_is_read_once_a_process_and_cannot_be_written_to() -> None:
    images = training_images("digits")
    assert training_images("digits") is images
    with pytest.raises(ValueError, match="read-only"):
        images.pixels[0, 0] = 1


def test_pixels_are_divided_by_white() -> None:
    images = training_images("mnist")
    batch = images.take(np.arange(100))
    assert batch.x.dtype == np.float32
    assert (batch.x.min(), batch.x.max()) == (0.0, 1.0)
    np.testing.assert_array_equal(batch.x, images.pixels[:100].astype(np.float32) / 255)


def test_an_unknown_data_set_is_named() -> None:
    with pytest.raises(DataError, match="it would be mnist, digits, npz:PATH or npy:FOLDER"):
        training_images("cifar")


@given(n=st.integers(2, 300), fraction=st.floats(0.01, 0.99), seed=st.integers(0, 2**32), data=st.data())
def test_no_image_is_on_both_sides_of_a_split(n: int, fraction: float, seed: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(2, n))
    images = numbered(n)
    aside = round(size * fraction)
    if not 0 < aside < size:
        with pytest.raises(DataError, match="for validation"):
            split(images, size, fraction, split_seed=seed)
        return
    train, validation = numbers(split(images, size, fraction, split_seed=seed))
    assert (len(train), len(validation)) == (size - aside, aside)
    assert len({*train, *validation}) == size


def test_a_split_depends_on_its_seed_alone_and_is_shuffled() -> None:
    images = numbered(100)
    one, again, other = (numbers(split(images, None, 0.2, split_seed=seed)) for seed in (1, 1, 2))
    assert one == again != other
    assert sorted(one[0] + one[1]) == list(range(100)) != one[1] + one[0]


def test_up_to_as_many_images_as_all_workers_have_the_split_does_not_depend_on_what_else_there_is() -> None:
    pixels, labels = np.arange(250, dtype=np.uint8)[:, None], np.arange(250) % 3
    few = Images(pixels[:100].copy(), labels[:100].copy(), 1, "", common=100)
    many = Images(pixels, labels, 1, "", common=100)
    for size in (10, 100):
        assert numbers(split(few, size, 0.2, split_seed=1)) == numbers(split(many, size, 0.2, split_seed=1))
    train, judged = numbers(split(many, 200, 0.2, split_seed=1))
    few_train, few_judged = numbers(split(few, 100, 0.2, split_seed=1))
    assert set(few_train) <= set(train)
    assert set(few_judged) <= set(judged)
    assert not set(train) & set(judged)
    assert len(judged) == 40


@given(sizes=st.lists(st.integers(10, 100), min_size=2, max_size=5), seed=st.integers(0, 99))
def test_no_image_is_on_both_sides_of_two_splits_of_a_study(sizes: list[int], seed: int) -> None:
    splits = [numbers(split(numbered(100), size, 0.2, split_seed=seed)) for size in sizes]
    trained = {number for train, _ in splits for number in train}
    judged = {number for _, validation in splits for number in validation}
    assert not trained & judged


@given(
    labels=st.lists(st.integers(0, 4), min_size=10, max_size=200),
    share=st.floats(0.3, 1.0),
    fraction=st.floats(0.1, 0.9),
    seed=st.integers(0, 99),
)
def test_stratified_each_class_has_its_share_on_both_sides(
    labels: list[int], share: float, fraction: float, seed: int
) -> None:
    t = np.array(labels)
    size = max(5, round(share * len(t)))
    if not 0 < round(size * fraction) < size:
        return
    images = Images(np.arange(len(t), dtype=np.uint8)[:, None], t, 1, "")
    parts = split(images, size, fraction, split_seed=seed, stratified=True)
    for part in (parts.train, parts.validation):
        expected = np.bincount(t, minlength=5) * len(part.t) / len(t)
        assert np.all(np.abs(np.bincount(part.t, minlength=5) - expected) <= 2.0)


def test_a_stratified_split_is_shuffled_by_its_seed() -> None:
    images = training_images("digits")
    first, same, other = (split(images, 200, 0.2, split_seed=seed, stratified=True).train.t for seed in (0, 0, 1))
    assert first.tolist() == same.tolist() != other.tolist()


def test_standardised_features_have_mean_zero_and_deviation_one_over_the_training_images() -> None:
    data = split(training_images("digits"), 400, 0.2, split_seed=0)
    raw = [np.concatenate([x.copy() for x, _ in part.parts(50)]) for part in (data.train, data.validation)]
    scaled = data.standardised()
    (train, validation) = [
        np.concatenate([x.copy() for x, _ in part.parts(50)]) for part in (scaled.train, scaled.validation)
    ]
    constant = raw[0].std(axis=0) == 0
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(train.std(axis=0)[~constant], 1, atol=1e-4)
    assert constant.any()
    assert np.isfinite(validation).all()
    assert scaled.scaling is not None
    np.testing.assert_allclose(
        validation, (raw[1] - scaled.scaling.mean) / scaled.scaling.deviation, rtol=1e-6, atol=1e-6
    )


def test_labels_stay_with_their_images() -> None:
    data = split(numbered(50), 40, 0.5, split_seed=0)
    for side in (data.train, data.validation):
        np.testing.assert_array_equal(side.x[:, 0] % 2, side.t)


def test_more_images_than_there_are_say_how_many_there_are_and_how_to_get_more() -> None:
    with pytest.raises(NotEnoughData, match=r"6,000 images .* 5,000.*60,000.*SHIBORI_DATA_DIR"):
        split(training_images("mnist"), 6_000, 0.2, split_seed=0)


@pytest.mark.usefixtures("no_cache")
@pytest.mark.parametrize("zipped", [False, True])
def test_a_folder_of_idx_files_takes_the_place_of_the_embedded_mnist(
    idx_folder: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool
) -> None:
    if zipped:
        for path in list(idx_folder.iterdir()):
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    monkeypatch.setenv("SHIBORI_DATA_DIR", str(idx_folder))
    images = training_images("mnist")
    assert (len(images), images.pixels.shape[1], images.classes) == (300, 4, 3)
    assert images.pixels[299].tolist() == [1, 43, 0, 0]
    assert len(training_images("digits")) == 1_438
    with pytest.raises(DataError, match="neither t10k-images-idx3-ubyte nor"):
        held_out_images("mnist")


def wrong_magic(content: bytes) -> bytes:
    return b"\0\0\x0d\x03" + content[4:]


def cut_short(content: bytes) -> bytes:
    return content[:-1]


def without_header(content: bytes) -> bytes:
    return content[:7]


def broken_gzip(content: bytes) -> bytes:
    return gzip.compress(content)[:-9]


@pytest.mark.usefixtures("no_cache")
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (wrong_magic, "is not an IDX file of bytes in 3 dimensions"),
        (without_header, "is not an IDX file of bytes in 3 dimensions"),
        (cut_short, "should hold 1,200 bytes, by its header, and holds 1,199"),
        (broken_gzip, "is a damaged gzip file"),
    ],
)
def test_a_damaged_idx_file_is_named(
    idx_folder: Path, monkeypatch: pytest.MonkeyPatch, damage: object, message: str
) -> None:
    assert callable(damage)
    path = idx_folder / "train-images-idx3-ubyte"
    path.write_bytes(damage(path.read_bytes()))
    monkeypatch.setenv("SHIBORI_DATA_DIR", str(idx_folder))
    with pytest.raises(DataError, match=message):
        training_images("mnist")


@pytest.mark.usefixtures("no_cache")
def test_images_and_labels_must_be_as_many(idx_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = struct.pack(">HBBI", 0, 8, 1, 299) + bytes(299)
    (idx_folder / "train-labels-idx1-ubyte").write_bytes(labels)
    monkeypatch.setenv("SHIBORI_DATA_DIR", str(idx_folder))
    with pytest.raises(DataError, match="has 300 images and 299 labels"):
        training_images("mnist")


@pytest.mark.usefixtures("no_cache")
def test_a_folder_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIBORI_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="which is no folder"):
        training_images("mnist")
    with pytest.raises(DataError, match="which is no folder"):
        held_out_images("mnist")
