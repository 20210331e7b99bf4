"""Logistic regression on the breast cancer data: with model.fit, and by hand with GradientTape."""

import numpy as np

import kerasish as keras
from kerasish import ops

(x, y), (x_test, y_test) = keras.datasets.breast_cancer.load_data()
mean, std = x.mean(0), x.std(0)
x, x_test = ((a - mean) / std for a in (x, x_test))
x, x_test, y = x.astype("float32"), x_test.astype("float32"), y.astype("float32")[:, None]

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((x.shape[1],)), keras.layers.Dense(1, activation="sigmoid")])
model.compile(optimizer=keras.optimizers.SGD(0.1), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, verbose=0)
loss, accuracy = model.evaluate(x_test, y_test.astype("float32")[:, None], verbose=0)
print(f"fit:     test accuracy {accuracy:.3f}")

w, b = keras.Variable(np.zeros((x.shape[1], 1), "float32"), name="w"), keras.Variable(np.zeros(1, "float32"), name="b")
for step in range(200):
    with keras.GradientTape() as tape:
        logits = ops.matmul(x, w) + b
        loss = ops.mean(keras.losses.binary_crossentropy(y, logits, from_logits=True))
    dw, db = tape.gradient(loss, [w, b])
    p = 1 / (1 + np.exp(-np.asarray(logits)))
    assert np.allclose(dw, x.T @ (p - y) / len(x), atol=1e-5)  # the gradient in the logits is (p - y) / n
    w.assign_sub(0.5 * dw)
    b.assign_sub(0.5 * db)
right = ((x_test @ w.numpy() + b.numpy())[:, 0] > 0) == (y_test > 0)
print(f"by hand: test accuracy {right.mean():.3f} (the gradient is its closed form)")
