"""Linear regression: once with model.fit, once by hand with GradientTape, the gradient checked against its closed form."""

import numpy as np

import kerasish as keras
from kerasish import ops

rng = np.random.default_rng(0)
x = rng.standard_normal((200, 3)).astype("float32")
y = x @ np.array([[2.0], [-1.0], [0.5]], "float32") + 3.0 + 0.1 * rng.standard_normal((200, 1)).astype("float32")

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
model.fit(x, y, epochs=30, batch_size=50, verbose=0)
print("fit:      weights", model.get_weights()[0].ravel().round(3), "bias", model.get_weights()[1].round(3))

w, b = keras.Variable(np.zeros((3, 1), "float32"), name="w"), keras.Variable(np.zeros(1, "float32"), name="b")
for step in range(100):
    with keras.GradientTape() as tape:
        error = ops.matmul(x, w) + b - y
        loss = ops.mean(ops.square(error))
    dw, db = tape.gradient(loss, [w, b])
    closed = 2 * x.T @ np.asarray(error) / len(x)  # d/dw mean (xw + b - y)² = 2 xᵀ(xw + b - y) / n
    assert np.allclose(dw, closed, atol=1e-5)
    w.assign_sub(0.1 * dw)
    b.assign_sub(0.1 * db)
print("by hand:  weights", w.numpy().ravel().round(3), "bias", b.numpy().round(3), "(the gradient is its closed form)")

ones = np.c_[x, np.ones(len(x))]
exact = np.linalg.lstsq(ones, y, rcond=None)[0].ravel()
print("exactly:  weights", exact[:3].round(3), "bias", exact[3:].round(3))
