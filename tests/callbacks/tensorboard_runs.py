"""Fits that write for TensorBoard, with Keras or with kerasish."""

import numpy as np

X = np.linspace(0, 1, 40, dtype="float32").reshape(10, 4)
OPTIONS = {
    "plain": {},
    "weights": {"histogram_freq": 2, "write_images": True},
    "every second batch": {"update_freq": 2},
    "every batch, no graph": {"update_freq": "batch", "write_graph": False},
    "embeddings": {"embeddings_freq": 1},
}


def run(k, folder, **options):
    model = k.Sequential([k.Input((4,)), k.layers.Dense(3, name="a"), k.layers.Dense(1, name="b")], name="m")
    model.set_weights([np.linspace(-1, 1, w.size).reshape(w.shape).astype("float32") for w in model.get_weights()])
    model.compile("sgd", "mse")
    callback = k.callbacks.TensorBoard(folder / "fit", **options)
    model.fit(X, X[:, :1], epochs=3, batch_size=4, shuffle=False, verbose=0, validation_data=(X, X[:, :1]), callbacks=[callback])
    model.evaluate(X, X[:, :1], verbose=0, callbacks=[k.callbacks.TensorBoard(folder / "evaluate", **options)])
    return model


def read(folder, events):
    """What stands in the event files of a folder, in the order of place, name and step; and the other files."""
    found = []
    for path in sorted(folder.rglob("events.out.*")):
        place = path.parent.relative_to(folder).as_posix()
        found += [(place, tag, step, plugin, value) for step, tag, plugin, value in events(path)]
    others = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and "events.out" not in p.name)
    return sorted(found, key=lambda event: event[:3]), others
