"""Optimizers in all their options, in `keras` or in us: the tests and tests/golden/make_optimizers.py."""

import numpy as np

STEPS = 10
rng = np.random.RandomState(4)
START = [rng.normal(size=s).astype("float32") for s in ((3, 2), (2,), (4,))]
GRADIENTS = [[rng.normal(size=v.shape).astype("float32") for v in START] for _ in range(STEPS)]

KINDS = {
    "SGD": ({}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}),
    "RMSprop": ({}, {"momentum": 0.5, "centered": True, "rho": 0.8}),
    "Adam": ({}, {"amsgrad": True, "beta_1": 0.8}),
    "AdamW": ({}, {"weight_decay": 0.1}),
    "Adamax": ({},),
    "Nadam": ({}, {"beta_1": 0.8, "epsilon": 1e-3}),
    "Adagrad": ({}, {"initial_accumulator_value": 0.3}),
    "Adadelta": ({}, {"rho": 0.8}),
    "Adafactor": ({}, {"relative_step": False}),
    "Ftrl": ({}, {"l1_regularization_strength": 0.01, "l2_regularization_strength": 0.02,
                  "l2_shrinkage_regularization_strength": 0.03, "beta": 0.1}),
    "Lion": ({}, {"beta_2": 0.9}),
    "Lamb": ({},),
    "Muon": ({}, {"nesterov": False, "rms_rate": None, "ns_steps": 3, "weight_decay": None}, {"exclude_layers": ["v0"], "adam_lr_ratio": 0.5}),
    "ScheduleFreeAdamW": ({}, {"warmup_steps": 4, "beta_1": 0.8}),
}  # fmt: skip
# what every optimizer takes
COMMON = ({"clipnorm": 0.5}, {"clipvalue": 0.3}, {"global_clipnorm": 0.7}, {"weight_decay": 0.05}, {"use_ema": True, "ema_momentum": 0.6},
          {"use_ema": True, "ema_overwrite_frequency": 3}, {"gradient_accumulation_steps": 2}, {"loss_scale_factor": 4.0})  # fmt: skip
SCHEDULES = {
    "ExponentialDecay": (0.1, 3, 0.5, True),
    "PiecewiseConstantDecay": ([3, 6], [0.1, 0.05, 0.01]),
    "PolynomialDecay": (0.1, 8, 0.01, 2.0),
    "InverseTimeDecay": (0.1, 2, 0.5),
    "CosineDecay": (0.1, 6, 0.1, "CosineDecay", 0.2, 3),
    "CosineDecayRestarts": (0.1, 3, 2.0, 0.9, 0.01),
}


def without_decay(keras):
    optimizer = keras.optimizers.AdamW(0.05, weight_decay=0.3)
    optimizer.exclude_from_weight_decay(var_names=["v1"])
    return optimizer


def several(keras, **options):
    o = keras.optimizers
    return o.MultiOptimizer(o.OptimizerMap(o.SGD(0.05, momentum=0.5), {"v[12]": o.Adam(0.1), "nothing": o.Lion()}), **options)


# what is not made of a rate and options
MADE = {
    "AdamW without decay of one": without_decay,
    "LossScaleOptimizer": lambda keras: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.05, clipvalue=0.3), initial_scale=4.0, dynamic_growth_steps=3
    ),
    "MultiOptimizer": several,
    "MultiOptimizer scaled": lambda keras: several(keras, loss_scale_factor=4.0),
    "LossScaleOptimizer of several": lambda keras: keras.optimizers.LossScaleOptimizer(several(keras), initial_scale=2.0),
}
ROWS = {
    **{f"{kind} {options}": (kind, options, None) for kind, several in KINDS.items() for options in several},
    **{f"{kind} {options}": (kind, options, None) for kind in ("SGD", "Adam", "Lamb", "Muon", "ScheduleFreeAdamW", "Nadam")
       for options in COMMON},
    **{f"SGD with {name}": ("SGD", {"momentum": 0.5}, name) for name in SCHEDULES},
    **{f"Adam with {name}": ("Adam", {}, name) for name in SCHEDULES},
    **{name: None for name in MADE},
}


def make(keras, name):
    if name in MADE:
        return MADE[name](keras)
    kind, options, schedule = ROWS[name]
    rate = 0.05 if schedule is None else getattr(keras.optimizers.schedules, schedule)(*SCHEDULES[schedule])
    return getattr(keras.optimizers, kind)(rate, **options)


def apply(keras, optimizer, gradients, variables):
    """One step, without the state for what steps only so on JAX."""
    gradients = [keras.ops.convert_to_tensor(g) for g in gradients]
    if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer.apply(gradients, variables)
        return
    trained, own = optimizer.stateless_apply([v.value for v in optimizer.variables], gradients, [v.value for v in variables])
    for v, value in zip([*variables, *optimizer.variables], [*trained, *own], strict=True):
        v.assign(value)


def variables(keras):
    return [keras.Variable(v, name=f"v{i}") for i, v in enumerate(START)]
