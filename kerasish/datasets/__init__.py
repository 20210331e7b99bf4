"""Data to learn on.

Four small real sets come with the library, ready in milliseconds: breast_cancer, digits, iris and wine. Each has
`load_data(test_split=0.2, seed=113)`, which returns `(x_train, y_train), (x_test, y_test)`, and `CLASS_NAMES`; those with
columns have `FEATURE_NAMES`. Sources and licences are in LICENSE-data.

Keras's own sets are downloaded when they are first loaded, checked, and kept in ~/.keras/datasets.
"""

import importlib
from types import ModuleType

from kerasish.datasets import breast_cancer as breast_cancer
from kerasish.datasets import digits as digits
from kerasish.datasets import iris as iris
from kerasish.datasets import wine as wine

# Loaded when used: they need what reads archives and talks to servers
DOWNLOADED = (
    "boston_housing", "california_housing", "cifar10", "cifar100", "fashion_mnist", "imdb", "mnist", "reuters",
)  # fmt: skip


def __getattr__(name: str) -> ModuleType:
    if name in DOWNLOADED:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *DOWNLOADED})
