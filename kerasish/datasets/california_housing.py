"""`keras.datasets.california_housing`."""

from typing import Any

from kerasish.base.registry import export
from kerasish.datasets.downloaded import Split, load_columns

ROWS = {"large": None, "small": 600}


@export("keras.datasets.california_housing.load_data")
def load_data(
    version: str = "large", path: Any = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> Split:
    """Districts of California in 1990: 8 columns, and median prices of houses in dollars.

    version: "large" for all 20,640 rows, "small" for 600 of them.
    """
    if version not in ROWS:
        raise ValueError(f"Argument `version` must be one of 'small', 'large'. Received: version={version}")
    return load_columns("california_housing.npz", path, test_split, seed, ROWS[version])
