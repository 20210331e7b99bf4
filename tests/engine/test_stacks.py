"""Matrix products made of smaller ones (kernels/stacks.py), against products in float64: shapes for every way of cutting,
sizes that no number of pieces divides, transposed matrices, memory that others lie in."""

import numpy as np
import pytest

from kerasish.engine.kernels import blas, crew, stacks

rng = np.random.default_rng(0)
SHAPES = {  # rows, terms, columns
    "small": (8, 5, 6),
    "rows in halves": (1024, 300, 64),
    "rows in small pieces": (1203, 96, 40),
    "more rows than pieces of eight": (2100, 128, 520),
    "columns in halves": (128, 784, 512),
    "columns in small pieces": (32, 512, 515),
    "few rows": (31, 784, 513),
    "few rows, a prime number of terms": (32, 787, 512),
    "long sums": (64, 6400, 32),
    "long sums, many of them": (300, 4099, 130),
    "long sums of a few numbers": (3, 50_000, 2),
    "short sums": (4097, 10, 512),
    "one row": (1, 784, 3000),
    "one column": (5000, 300, 1),
    "no terms": (30, 0, 20),
    "no rows": (0, 7, 20),
}
LAYOUTS = ["straight", "left turned", "right turned", "both turned"]


def drawn(rows, columns, dtype, turned):
    x = rng.standard_normal((columns, rows) if turned else (rows, columns)).astype(dtype)
    return x.T if turned else x


@pytest.fixture(params=["as here", "no small kernels", "alone", "many threads"])
def machine(request, monkeypatch):
    if request.param == "no small kernels":
        monkeypatch.setattr(blas, "small_kernels", lambda: False)
    if request.param == "alone":
        monkeypatch.setattr(crew, "_library", lambda: None)
    if request.param == "many threads":
        monkeypatch.setattr(crew, "most", lambda: 24)
    stacks._cut.cache_clear()
    yield
    stacks._cut.cache_clear()


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_way_is_the_product(shape, layout, dtype, machine):
    m, k, n = SHAPES[shape]
    a, b = drawn(m, k, dtype, "left" in layout or "both" in layout), drawn(k, n, dtype, "right" in layout or "both" in layout)
    expected, scale = a.astype("d") @ b.astype("d"), max(k, 1) ** 0.5
    out = np.full((m, n), np.nan, dtype)
    bound = stacks.bind_product(a, b, out)
    ways = {
        "bound": bound, "bound, again": bound, "moving": lambda: stacks.moving_product(m, k, n)(a, b, out),
        "alone": lambda: stacks.dot(a, b, out),
    }  # fmt: skip
    for name, way in ways.items():
        out.fill(np.nan)
        way()
        np.testing.assert_allclose(out / scale, expected / scale, rtol=0, atol=2e-5 if dtype == "f" else 5e-14, err_msg=name)


@pytest.mark.parametrize("shape", SHAPES)
def test_bits_do_not_depend_on_how_many_threads_there_are(shape, monkeypatch):
    m, k, n = SHAPES[shape]
    a, b, out = drawn(m, k, "f", False), drawn(k, n, "f", False), np.empty((m, n), "f")
    found = []
    for _ in range(2):
        for way in (stacks.bind_product(a, b, out), lambda: stacks.moving_product(m, k, n)(a, b, out)):
            way()
            found.append(out.copy())
        if crew.most():
            monkeypatch.setattr(crew, "size", lambda: 1)
            vars(stacks._made).clear()
    for y in found[1:]:
        np.testing.assert_array_equal(y, found[0])


def test_a_moving_product_takes_any_layout_in_any_order():
    m, k, n = 520, 130, 90
    for dtype in "fd":
        call = stacks.moving_product(m, k, n)
        out, wide = np.empty((m, n), dtype), np.empty((m, 2 * n), dtype)
        for left, right, into in ((0, 0, out), (1, 0, out), (0, 1, wide[:, :n]), (0, 0, out), (1, 1, out), (0, 0, wide[:, n:])):
            a, b = drawn(m, k, dtype, bool(left)), drawn(k, n, dtype, bool(right))
            for _ in range(2):
                call(a, b, into)
                np.testing.assert_allclose(into, a.astype("d") @ b, rtol=1e-4, atol=2e-4)
                a = a + 1 if not left else np.asfortranarray(a + 1)


def test_a_bound_product_follows_its_arrays():
    a, b, out = drawn(512, 96, "f", False), drawn(96, 256, "f", True), np.empty((512, 256), "f")
    call = stacks.bind_product(a, b, out)
    for _ in range(3):
        a += 1
        b *= 2
        call()
        np.testing.assert_allclose(out, a @ b, rtol=1e-4, atol=1e-3)


def test_products_of_arrays_that_come_and_go():
    kinds = [(64, 3200, 32), (64, 3200, 32), (900, 64, 40), (901, 64, 40)]
    for m, k, n in kinds * 3:
        a, b, out = drawn(m, k, "f", True), drawn(k, n, "f", False), np.empty((m, n), "f")
        stacks.product(a, b, out)
        np.testing.assert_allclose(out, a.astype("d") @ b.astype("d"), rtol=0, atol=2e-3)


@pytest.mark.parametrize("shape", ["rows in small pieces", "columns in small pieces", "few rows", "long sums"])
def test_only_the_result_is_written(shape):
    m, k, n = SHAPES[shape]
    whole = np.full((m + 2, n), 7, "f")
    out = whole[1:-1]
    a, b = drawn(m, k, "f", False), drawn(k, n, "f", False)
    for way in (stacks.bind_product(a, b, out), lambda: stacks.product(a, b, out), lambda: stacks.dot(a, b, out)):
        way()
        np.testing.assert_allclose(out, a.astype("d") @ b.astype("d"), rtol=0, atol=2e-3)
        assert (whole[0] == 7).all() and (whole[-1] == 7).all()
