"""Trains in a fresh process and prints a digest of all weights and logs: what test_determinism.py compares."""

import hashlib
import sys

import numpy as np

import kerasish as keras
from kerasish import layers

X = np.random.RandomState(0).normal(size=(120, 12, 12, 1)).astype("float32")
Y = (X.mean((1, 2, 3)) > 0).astype("int32")


class Data(keras.utils.PyDataset):
    """Batches, with noise from NumPy's global generator if wanted."""

    def __init__(self, noisy, **kwargs):
        super().__init__(**kwargs)
        self.noisy = noisy

    def __len__(self):
        return 5

    def __getitem__(self, index):
        rows = slice(index * 24, (index + 1) * 24)
        noise = np.random.normal(size=X[rows].shape) if self.noisy else 0
        return X[rows] + 0.1 * noise, Y[rows]


def main(mode, feed, workers):
    keras.utils.set_random_seed(11)
    x, y = X, Y
    image = keras.Input((12, 12, 1))
    h = layers.Conv2D(8, 3, activation="relu", padding="same")(image)
    h = layers.SpatialDropout2D(0.2)(layers.BatchNormalization()(layers.MaxPooling2D()(h)))
    h = layers.LSTM(16)(layers.Reshape((6, 48))(h))
    h = layers.Dense(300, activation="relu")(layers.GaussianNoise(0.1)(h))
    model = keras.Model(image, layers.Dense(2, activation="softmax")(layers.Dropout(0.5)(h)))
    if mode == "wide":  # products that the BLAS cuts for its threads
        x, feed = np.random.RandomState(0).normal(size=(120, 784)).astype("float32"), "arrays"
        model = keras.Sequential([keras.Input((784,)), layers.Dense(256, activation="relu"), layers.Dropout(0.2), layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=mode == "eager")
    processes = feed == "processes"
    data = (x, y) if feed == "arrays" else (Data(processes, workers=workers, use_multiprocessing=processes),)
    history = model.fit(*data, batch_size=None if len(data) == 1 else 24, epochs=2, verbose=0, shuffle=True).history
    digest = hashlib.sha256(repr(history).encode())
    for w in model.get_weights():
        digest.update(w.tobytes())
    digest.update(model.predict(x, verbose=0).tobytes())
    print(digest.hexdigest())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
