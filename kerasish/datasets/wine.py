"""Wine: 178 wines of one region in Italy, 13 chemical measurements, 3 cultivars of grape."""

from kerasish.datasets import bundled

CLASS_NAMES = ("cultivar 1", "cultivar 2", "cultivar 3")
FEATURE_NAMES = (
    "alcohol",
    "malic acid",
    "ash",
    "alcalinity of ash",
    "magnesium",
    "total phenols",
    "flavanoids",
    "nonflavanoid phenols",
    "proanthocyanins",
    "color intensity",
    "hue",
    "od280/od315 of diluted wines",
    "proline",
)


def load_data(test_split: float = 0.2, seed: int = 113) -> bundled.Split:
    """The chemistry of wines of three cultivars: 59, 71 and 48 of them. The columns differ widely in scale.

    Returns `(x_train, y_train), (x_test, y_test)`. `x`: float32, shape (n, 13), the `FEATURE_NAMES`. `y`: uint8, shape
    (n,), an index into `CLASS_NAMES`. Equal arguments give equal rows in equal order, on every machine. Raises
    ValueError unless 0 <= test_split < 1.

    Source: Wine, S. Aeberhard and M. Forina (1992), UCI Machine Learning Repository, CC BY 4.0.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, y_train.shape, x_test.shape
    ((142, 13), (142,), (36, 13))
    """
    return bundled.load("wine", test_split, seed)
