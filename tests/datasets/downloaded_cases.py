"""Small files in the forms that Keras's data sets are published in."""

import gzip
import hashlib
import json
import pickle
import tarfile

import numpy as np


def texts(rng, n):
    array = np.empty(n, dtype=object)
    array[:] = [rng.integers(1, 40, rng.integers(2, 12)).tolist() for _ in range(n)]
    return array


def make_files(folder, rows=10_000):
    """Write one of each into a folder. rows: of each file of CIFAR-10; Keras's loader wants them as large as they are."""
    rng = np.random.default_rng(0)

    def images(n):
        return rng.integers(0, 256, (n, 28, 28)).astype("uint8"), rng.integers(0, 10, n).astype("uint8")

    (x, y), (u, v) = images(6), images(4)
    np.savez(folder / "mnist.npz", x_train=x, y_train=y, x_test=u, y_test=v)
    for part, n in (("train", 5), ("t10k", 3)):
        x, y = images(n)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(16) + x.tobytes()))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes(8) + y.tobytes()))
    np.savez(folder / "boston_housing.npz", x=rng.normal(size=(20, 13)), y=rng.normal(size=20))
    np.savez_compressed(folder / "california_housing.npz", x=rng.normal(size=(700, 8)).astype("float32"), y=rng.normal(size=700).astype("float32"))
    np.savez(folder / "imdb.npz", x_train=texts(rng, 12), y_train=rng.integers(0, 2, 12), x_test=texts(rng, 9), y_test=rng.integers(0, 2, 9))
    np.savez(folder / "reuters.npz", x=texts(rng, 15), y=rng.integers(0, 46, 15))
    for name in ("imdb_word_index.json", "reuters_word_index.json"):
        (folder / name).write_text(json.dumps({"the": 1, "café": 2}, ensure_ascii=False), encoding="utf-8")
    make_cifar(folder, rng, "cifar-10", "batches-py", {f"data_batch_{i}": rows for i in range(1, 6)} | {"test_batch": rows}, ("labels",))
    make_cifar(folder, rng, "cifar-100", "python", {"train": 7, "test": 5}, ("fine_labels", "coarse_labels"))


def make_cifar(folder, rng, name, inner, parts, keys):
    home = folder / f"{name}-{inner}"
    home.mkdir()
    for part, n in parts.items():
        batch = {b"data": np.tile(rng.integers(0, 256, (1, 3072)).astype("uint8"), (n, 1))}
        batch |= {key.encode(): rng.integers(0, 10, n).tolist() for key in keys}
        (home / part).write_bytes(pickle.dumps(batch, protocol=3))
    with tarfile.open(folder / f"{name}-python.tar.gz", "w:gz", compresslevel=1) as archive:
        archive.add(home, home.name)


def serve(folder, sources):
    """The table of sources, with the files of a folder in place of those of servers."""
    table = {}
    for name, (origin, file_hash) in sources.items():
        path = folder / origin.rsplit("/", 1)[1]
        digest = hashlib.new("md5" if file_hash and len(file_hash) == 32 else "sha256", path.read_bytes()).hexdigest()
        table[name] = (path.as_uri(), file_hash and digest)
    return table


# data set, arguments
LOADS = {
    "mnist": ("mnist", {}),
    "fashion_mnist": ("fashion_mnist", {}),
    "cifar10": ("cifar10", {}),
    "cifar100": ("cifar100", {}),
    "cifar100, coarse": ("cifar100", {"label_mode": "coarse"}),
    "boston": ("boston_housing", {}),
    "boston, another seed": ("boston_housing", {"seed": 1, "test_split": 0.0}),
    "california": ("california_housing", {}),
    "california, small": ("california_housing", {"version": "small", "test_split": 0.5}),
    "imdb": ("imdb", {}),
    "imdb, frequent words": ("imdb", {"num_words": 20, "skip_top": 5}),
    "imdb, words left out": ("imdb", {"num_words": 20, "skip_top": 5, "oov_char": None}),
    "imdb, short": ("imdb", {"maxlen": 8, "seed": 3}),
    "imdb, no start": ("imdb", {"start_char": None}),
    "imdb, plain": ("imdb", {"start_char": None, "index_from": 0}),
    "imdb, other marks": ("imdb", {"start_char": 7, "oov_char": 8, "index_from": 10, "num_words": 30}),
    "reuters": ("reuters", {}),
    "reuters, frequent words": ("reuters", {"num_words": 20, "skip_top": 5, "test_split": 0.4}),
    "reuters, short": ("reuters", {"maxlen": 8, "seed": 3}),
    "reuters, no start": ("reuters", {"start_char": None, "oov_char": None, "num_words": 25}),
}
BAD = {
    "boston, all for testing": ("boston_housing", {"test_split": 1.0}),
    "california, all for testing": ("california_housing", {"test_split": -0.1}),
    "california, medium": ("california_housing", {"version": "medium"}),
    "cifar100, labels": ("cifar100", {"label_mode": "all"}),
    "imdb, nothing left": ("imdb", {"maxlen": 1}),
}
