"""keras.visualization."""

import sys
import types

import drawing_fakes
import numpy as np
import pytest
from mask_cases import CASES, IMAGES, MASKS, draw

import kerasish as keras
from kerasish import visualization as vis

BOXES = {"boxes": np.array([[[2, 3, 6, 8], [0, 0, 3, 3]]]), "labels": np.array([[1, -1]])}
BLACK = np.zeros((1, 12, 12, 3), "uint8")


@pytest.fixture
def pyplot(monkeypatch):
    pyplot = drawing_fakes.Pyplot()
    patches = types.SimpleNamespace(Patch=lambda **kwargs: kwargs["label"])
    for name, module in (("matplotlib", drawing_fakes), ("matplotlib.pyplot", pyplot), ("matplotlib.patches", patches)):
        monkeypatch.setitem(sys.modules, name, module)
    return pyplot


# -- masks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_pixels_that_are_not_drawn_stay(case):
    options, drawn = CASES[case], draw(keras, case)
    hidden = (MASKS < 0) | (MASKS >= options["num_classes"])
    np.testing.assert_array_equal(drawn[hidden[..., 0]], IMAGES[hidden[..., 0]])
    assert drawn.dtype == ("float32" if options.get("blend") is False else "uint8")
    assert (drawn[~hidden[..., 0]] != IMAGES[~hidden[..., 0]]).any()


def test_colors_and_their_strength():
    drawn = vis.draw_segmentation_masks(np.full((1, 1, 2, 3), 100), np.array([[[[0], [1]]]]), color_mapping={0: (0, 50, 200), 1: (10, 10, 10)}, alpha=0.5)
    assert drawn.tolist() == [[[[50, 75, 150], [55, 55, 55]]]]


def test_all_classes_are_drawn_unless_told():
    drawn = vis.draw_segmentation_masks(BLACK[:, :1, :2], np.array([[[[0], [1]]]]))
    assert drawn[0, 0, 1].any()


def test_masks_are_integers():
    with pytest.raises(TypeError, match="integer dtype. Received: segmentation_masks.dtype=float32"):
        vis.draw_segmentation_masks(BLACK, np.zeros((1, 12, 12, 1), "float32"), 2)


# -- boxes ------------------------------------------------------------------------------------------------------------


def drawn_pixels(**options):
    drawn = vis.draw_bounding_boxes(BLACK, BOXES, "xyxy", color=(9, 9, 9), **options)
    return {(int(y), int(x)) for y, x in np.argwhere(drawn[0, :, :, 0])}


def frame(x1, y1, x2, y2):
    return {(y, x) for y in range(y1, y2 + 1) for x in range(x1, x2 + 1)}


FRAMES = {
    1: frame(2, 3, 6, 8) - frame(3, 4, 5, 7),
    2: frame(1, 2, 6, 8) - frame(3, 4, 4, 6),
    3: frame(1, 2, 7, 9) - frame(4, 5, 4, 6),
    -1: frame(2, 3, 6, 8),
}


@pytest.mark.parametrize("thickness", FRAMES)
def test_frames(thickness):
    assert drawn_pixels(line_thickness=thickness) == FRAMES[thickness]


def test_the_images_given_stay_as_they_are():
    drawn_pixels()
    assert not BLACK.any()


def test_boxes_that_reach_outside():
    boxes = {"boxes": np.array([[[-5, -5, 3, 20]]]), "labels": np.array([[0]])}
    drawn = vis.draw_bounding_boxes(BLACK, boxes, "xyxy", line_thickness=1)[0, :, :, 0]
    assert drawn[:, 3].all() and drawn.sum() == 12 * 128


def test_other_formats():
    boxes = {"boxes": np.array([[[2 / 12, 3 / 12, 6 / 12, 8 / 12]]], "float32"), "labels": np.array([[1]])}
    relative = vis.draw_bounding_boxes(BLACK, boxes, "rel_xyxy", color=(9, 9, 9), line_thickness=1)
    assert {(int(y), int(x)) for y, x in np.argwhere(relative[0, :, :, 0])} == FRAMES[1]
    first = vis.draw_bounding_boxes(BLACK.transpose(0, 3, 1, 2), BOXES, "xyxy", data_format="channels_first")
    assert first.shape == (1, 12, 12, 3)


def test_images_of_floats():
    drawn = vis.draw_bounding_boxes(np.full((1, 12, 12, 3), 0.5), BOXES, "xyxy")
    assert drawn.dtype == "uint8" and drawn[0, 11, 11, 0] == 127
    assert vis.draw_bounding_boxes(np.full((1, 12, 12, 3), 300.0), BOXES, "xyxy")[0, 11, 11, 0] == 255


@pytest.mark.parametrize("channels", [1, 3])
def test_names_are_written(channels):
    canvas = np.zeros((1, 60, 90, channels), "uint8")
    boxes = {"boxes": np.array([[[5, 40, 50, 55]]]), "labels": np.array([[1]])}
    plain, named, sure = (
        vis.draw_bounding_boxes(canvas, b, "xyxy", class_mapping=names)
        for b, names in ((boxes, {2: "dog"}), (boxes, {1: "cat"}), ({**boxes, "confidences": np.array([[0.5]])}, {1: "cat"}))
    )
    assert (named > 0).sum() > (plain > 0).sum() and (sure > 0).sum() > (named > 0).sum()
    assert not (named != plain)[0, 39:].any()  # above the box


BAD_BOXES = {
    "no dict": ([1], TypeError, "should be a dict"),
    "no labels": ({"boxes": BOXES["boxes"]}, ValueError, "'boxes' and 'labels' keys"),
}


@pytest.mark.parametrize("case", BAD_BOXES)
def test_bad_boxes(case):
    boxes, error, message = BAD_BOXES[case]
    with pytest.raises(error, match=message):
        vis.draw_bounding_boxes(BLACK, boxes, "xyxy")


def test_pillow_is_asked_for(monkeypatch):
    for name in ("PIL", "PIL.Image", "PIL.ImageDraw", "PIL.ImageFont"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"install PIL .*kerasish\[image\]"):
        vis.draw_bounding_boxes(BLACK, BOXES, "xyxy", class_mapping={1: "cat"})


# -- galleries --------------------------------------------------------------------------------------------------------

GRIDS = {1: (1, 1), 4: (2, 2), 5: (3, 2), 9: (3, 3)}


@pytest.mark.parametrize("count", GRIDS)
def test_every_image_is_shown_once(count, pyplot):
    images = np.arange(count)[:, None, None, None] * np.ones((1, 2, 2, 3))
    vis.plot_image_gallery(images)
    assert pyplot.axes.shape == GRIDS[count] and pyplot.options["figsize"] == (GRIDS[count][1] * 2, GRIDS[count][0] * 2)
    shown = [int(image[0, 0, 0]) for panel in pyplot.axes.flat for image in panel.images]
    assert shown == list(range(count)) and all(panel.off for panel in pyplot.axes.flat)
    assert pyplot.shown == 1 and pyplot.closed == pyplot.figures


def test_value_range_and_gray_images(pyplot):
    vis.plot_image_gallery(np.array([-1.0, 0.0, 1.0, 3.0]).reshape(1, 2, 2, 1), value_range=(-1, 1))
    (image,) = pyplot.axes[0, 0].images
    assert image[..., 0].tolist() == [[0, 127], [255, 255]] and image.shape == (2, 2, 3)


def test_titles(pyplot):
    vis.plot_image_gallery(IMAGES, y_true=np.array([0, 1]), y_pred=[1, 5], label_map={0: "cat", 1: "dog"}, rows=1, cols=2)
    assert [panel.title for panel in pyplot.axes[0]] == ["Label: cat  Pred: dog", "Label: dog  Pred: Unknown"]


def test_a_file_instead(pyplot):
    vis.plot_image_gallery(IMAGES, path="gallery.png", dpi=30, legend_handles=["a"])
    (figure,) = pyplot.figures
    assert figure.saved[0][0] == "gallery.png" and figure.saved[0][1]["dpi"] == 30 and figure.handles == ["a"]
    assert pyplot.shown == 0


REFUSED = {
    "a file and the screen": (dict(path="x.png", show=True), "either `path`"),
    "labels without names": (dict(y_true=[0, 1]), "`label_map` must also be provided"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, pyplot):
    options, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        vis.plot_image_gallery(IMAGES, **options)


def test_one_image_is_no_batch(pyplot):
    for show in (vis.plot_image_gallery, lambda x: vis.plot_segmentation_mask_gallery(x, 2), lambda x: vis.plot_bounding_box_gallery(x, "xyxy")):
        with pytest.raises(ValueError, match="batched 4D tensor"):
            show(IMAGES[0])


def test_gallery_of_masks(pyplot):
    vis.plot_segmentation_mask_gallery(IMAGES, 4, y_true=MASKS, y_pred=MASKS.astype("float32"))
    assert pyplot.axes.shape == (2, 3)
    first, true, predicted = (panel.images[0] for panel in pyplot.axes[1])
    np.testing.assert_array_equal(first, IMAGES[1])
    np.testing.assert_array_equal(true, draw(keras, "all")[1])
    np.testing.assert_array_equal(predicted, true)


def test_gallery_of_boxes(pyplot):
    vis.plot_bounding_box_gallery(BLACK, "xyxy", y_true=BOXES, y_pred=BOXES, legend=True, line_thickness=1)
    (image,) = pyplot.axes[0, 0].images
    assert image[3, 2].tolist() == [255, 235, 59] and pyplot.figures[0].handles == ["Ground Truth", "Prediction"]
    vis.plot_bounding_box_gallery(BLACK, "xyxy", y_true=BOXES, value_range=(0, 1))
    assert pyplot.axes[0, 0].images[0][3, 2].tolist() == [0, 188, 212]
    with pytest.raises(ValueError, match="Only pass `legend` OR `legend_handles`"):
        vis.plot_bounding_box_gallery(BLACK, "xyxy", legend=True, legend_handles=["a"])


def test_matplotlib_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"install matplotlib .*kerasish\[plot\]"):
        vis.plot_image_gallery(IMAGES)
