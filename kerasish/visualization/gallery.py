"""Images in rows and columns."""

import math
from typing import Any

import numpy as np

from kerasish.base.optional import optional
from kerasish.base.registry import export
from kerasish.visualization.images import as_images


@export("keras.visualization.plot_image_gallery")
def plot_image_gallery(
    images: Any, y_true: Any = None, y_pred: Any = None, label_map: dict | None = None, rows: int | None = None,
    cols: int | None = None, value_range: tuple[float, float] = (0, 255), scale: float = 2, path: Any = None,
    show: bool | None = None, transparent: bool = True, dpi: int = 60, legend_handles: Any = None,
    data_format: str | None = None,
) -> None:  # fmt: skip
    """Show a batch of images with matplotlib, or write them to the file `path`.

    y_true, y_pred: labels to write above the images, by their names in label_map, a dict.
    rows, cols:     near a square by default. scale: inches an image. value_range: of the images.

    Raises ImportError without matplotlib.
    """
    plt = optional("matplotlib.pyplot", "plot", "plot_image_gallery")
    if path is not None and show:
        raise ValueError("plot_image_gallery() expects either `path` to be set, or `show` to be true.")
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise ValueError("If `y_true` or `y_pred` are provided, a `label_map` must also be provided.")
    batch = as_images(images, data_format, "float32")
    rows = rows or math.ceil(math.sqrt(len(batch)))
    cols = cols or math.ceil(len(batch) / rows)
    low, high = value_range
    batch = np.clip((batch - low) / (high - low) * 255, 0, 255).astype("uint8")
    figure, axes = plt.subplots(
        rows, cols, figsize=(cols * scale, rows * scale), frameon=False, layout="tight", squeeze=False
    )
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    given = [(word, np.asarray(y)) for word, y in (("Label", y_true), ("Pred", y_pred)) if y is not None]
    for i, panel in enumerate(axes.flat):
        panel.axis("off")
        if i >= len(batch):
            continue
        image = batch[i]
        panel.imshow(np.repeat(image, 3, axis=-1) if image.shape[-1] == 1 else image)
        title = [f"{word}: {(label_map or {}).get(y[i].item(), 'Unknown')}" for word, y in given if i < len(y)]
        if title:
            panel.set_title("  ".join(title), fontsize=8)
    if path is not None:
        figure.savefig(path, pad_inches=0, bbox_inches="tight", transparent=transparent, dpi=dpi)
    elif show is None or show:
        plt.show()
    plt.close(figure)
