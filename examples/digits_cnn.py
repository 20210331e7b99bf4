"""A small convolutional network learns handwritten digits, is saved, and predicts the same after reloading."""

import os
import tempfile

import numpy as np

import kerasish as keras
from kerasish import layers

keras.utils.set_random_seed(0)
(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train = x_train[..., None].astype("float32") / 16.0
x_test = x_test[..., None].astype("float32") / 16.0

model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Conv2D(32, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(128, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.4),
        layers.Dense(10, activation="softmax"),
    ]
)
model.summary()
model.compile(
    optimizer=keras.optimizers.Adam(2e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
)
slower = keras.callbacks.LearningRateScheduler(lambda epoch, lr: lr if epoch < 10 else lr * 0.8)
model.fit(x_train, y_train, batch_size=64, epochs=20, verbose=2, callbacks=[slower])

loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"\ntest accuracy: {accuracy:.2%} of {len(y_test)} digits, loss {loss:.4f}")

probabilities = model.predict(x_test, verbose=0)
confusion = np.zeros((10, 10), int)
np.add.at(confusion, (y_test, probabilities.argmax(axis=1)), 1)
print("\nrows: the digit, columns: the prediction")
print("     " + "".join(f"{d:4d}" for d in range(10)))
for digit, row in enumerate(confusion):
    print(f"{digit:4d} " + "".join(f"{n:4d}" if n else "   ." for n in row))

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "digits.keras")
    model.save(path)
    again = keras.models.load_model(path)
    same = np.array_equal(again.predict(x_test, verbose=0), probabilities)
print(f"\nsaved, reloaded, and predicts the same bits: {same}")
assert accuracy > 0.98 and same
