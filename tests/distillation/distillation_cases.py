"""Distillation in `keras` or in us: the tests and tests/golden/make_distillation.py."""

import numpy as np

rng = np.random.RandomState(0)
X = rng.normal(size=(20, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int32")
TEACHER, STUDENT = rng.normal(size=(2, 5, 3)).astype("float32")


def model(k, seed, units=6, outputs=1):
    layers, draw = k.layers, np.random.RandomState(seed)
    x = k.Input((4,))
    hidden = layers.Dense(units, activation="relu", name="hidden")(x)
    ends = [layers.Dense(3, name=f"end_{i}")(hidden) for i in range(outputs)]
    made = k.Model(x, ends if outputs > 1 else ends[0], name=f"model_{seed}")
    for w in made.weights:
        w.assign(draw.normal(size=w.shape) * 0.3)
    return made


def sequential(k, seed):
    layers, draw = k.layers, np.random.RandomState(seed)
    made = k.Sequential([layers.Input((4,)), layers.Dense(6, name="hidden"), layers.Dense(3, name="end")], name=f"stack_{seed}")
    for w in made.weights:
        w.assign(draw.normal(size=w.shape) * 0.3)
    return made


def soft(k, **options):
    return k.distillation.LogitsDistillation(2.0, loss=k.losses.KLDivergence(), **options)


def distiller(k, losses, make=model, metrics=("accuracy",), **options):
    made = k.distillation.Distiller(make(k, 1), make(k, 2), losses, **options)
    made.compile("sgd", k.losses.SparseCategoricalCrossentropy(from_logits=True), list(metrics))
    return made


def train(made, x=X, y=Y, **options):
    if y is not None:
        options["validation_data"] = (x, y)
    return made.fit(x, y, **{"batch_size": 8, "shuffle": False, "verbose": 0, "epochs": 2, **options}).history


def loss_of(k, cls, *args, n=1, **options):
    made = getattr(k.distillation, cls)(*args, **options)
    pair = (TEACHER, STUDENT) if n == 1 else ([TEACHER] * n, [STUDENT] * n)
    return float(made.compute_loss(*pair))


LOSSES = {
    "logits": lambda k: loss_of(k, "LogitsDistillation"),
    "softened": lambda k: loss_of(k, "LogitsDistillation", 2.0, loss=k.losses.KLDivergence()),
    "logits, crossentropy": lambda k: loss_of(k, "LogitsDistillation", 4, k.losses.CategoricalCrossentropy(from_logits=True)),
    "logits of two outputs": lambda k: loss_of(k, "LogitsDistillation", loss=["mae", "mse"], n=2),
    "logits of one of two": lambda k: loss_of(k, "LogitsDistillation", loss=[None, "mse"], n=2),
    "features": lambda k: loss_of(k, "FeatureDistillation"),
    "features, cosine": lambda k: loss_of(k, "FeatureDistillation", "cosine_similarity"),
    "features of one of two": lambda k: loss_of(k, "FeatureDistillation", [k.losses.MeanAbsoluteError(), None], n=2),
}
CONFIGS = {
    "logits": lambda k: k.distillation.LogitsDistillation(),
    "softened": soft,
    "features": lambda k: k.distillation.FeatureDistillation(["mse", None], "a", "b"),
    "features by object": lambda k: k.distillation.FeatureDistillation(k.losses.MeanAbsoluteError()),
}
FITS = {
    "logits": lambda k: train(distiller(k, soft(k))),
    "features": lambda k: train(distiller(k, k.distillation.FeatureDistillation("mse", "hidden", "hidden"))),
    "both, weighted": lambda k: train(
        distiller(k, [soft(k), k.distillation.FeatureDistillation("mae", "hidden", "hidden")], distillation_loss_weights=[1.0, 0.3],
                  student_loss_weight=0.2)),
    "sequential models": lambda k: train(distiller(k, [k.distillation.FeatureDistillation("mse", "hidden", "hidden")], sequential)),
    "teacher alone": lambda k: train(distiller(k, soft(k), student_loss_weight=0.0)),
    "targets alone": lambda k: train(distiller(k, soft(k), student_loss_weight=1.0)),
    "no targets": lambda k: train(distiller(k, soft(k), metrics=()), y=None),
}  # fmt: skip
