"""Softmax regression on the digits: with model.fit, and by hand; the gradient in the logits is y_hat - y."""

import numpy as np

import kerasish as keras
from kerasish import ops

(x, y), (x_test, y_test) = keras.datasets.digits.load_data()
x, x_test = (a.reshape(len(a), -1).astype("float32") / 16.0 for a in (x, x_test))

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, activation="softmax")])
model.compile(optimizer=keras.optimizers.SGD(0.5), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=30, verbose=0)
print(f"fit:     test accuracy {model.evaluate(x_test, y_test, verbose=0)[1]:.3f}")

hot = keras.utils.to_categorical(y, 10)
w, b = keras.Variable(np.zeros((64, 10), "float32"), name="w"), keras.Variable(np.zeros(10, "float32"), name="b")
for step in range(300):
    with keras.GradientTape() as tape:
        logits = ops.matmul(x, w) + b
        tape.watch(logits)
        loss = ops.mean(keras.losses.categorical_crossentropy(hot, logits, from_logits=True))
    dlogits, dw, db = tape.gradient(loss, [logits, w, b])
    y_hat = np.asarray(ops.softmax(logits))
    assert np.allclose(dlogits, (y_hat - hot) / len(x), atol=1e-6)
    w.assign_sub(1.0 * dw)
    b.assign_sub(1.0 * db)
right = (x_test @ w.numpy() + b.numpy()).argmax(1) == y_test
print(f"by hand: test accuracy {right.mean():.3f} (the gradient in the logits is y_hat - y)")
