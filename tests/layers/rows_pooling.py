"""Pooling."""

from layer_row import Row, draw

INPUTS = {1: draw(2, 7, 3), 2: draw(2, 6, 5, 3), 3: draw(1, 4, 5, 4, 2)}


def rows(rank):
    x = INPUTS[rank]
    for kind in ("Max", "Average"):
        pool, whole = f"{kind}Pooling{rank}D", f"Global{kind}Pooling{rank}D"
        yield Row(pool, lambda k, n=pool: getattr(k.layers, n)(2, name="p"), x)
        yield Row(f"{pool} same strided", lambda k, n=pool: getattr(k.layers, n)(3, strides=2, padding="same", name="p"), x)
        yield Row(whole, lambda k, n=whole: getattr(k.layers, n)(name="p"), x)
        yield Row(f"{whole} keepdims", lambda k, n=whole: getattr(k.layers, n)(keepdims=True, name="p"), x)


ROWS = [row for rank in INPUTS for row in rows(rank)]
