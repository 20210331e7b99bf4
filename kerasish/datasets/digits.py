"""Handwritten digits: 1,797 images of 8 by 8 pixels, in 10 classes. MNIST's small cousin."""

from kerasish.datasets import bundled

CLASS_NAMES = tuple("0123456789")


def load_data(test_split: float = 0.2, seed: int = 113) -> bundled.Split:
    """Images of digits that 13 people wrote by hand.

    Returns `(x_train, y_train), (x_test, y_test)`. `x`: uint8, shape (n, 8, 8), ink from 0 to 16: each pixel counts the
    dark ones in a 4 by 4 block of a 32 by 32 bitmap. `y`: uint8, shape (n,), the digit. Equal arguments give equal
    rows in equal order, on every machine. Raises ValueError unless 0 <= test_split < 1.

    Source: the test set of Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak (1998), UCI Machine
    Learning Repository, CC BY 4.0.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, y_train.shape, x_test.shape
    ((1437, 8, 8), (1437,), (360, 8, 8))
    >>> inputs = x_train.astype("float32") / 16
    """
    return bundled.load("digits", test_split, seed)
