"""Colors that tell labels apart, for people with every kind of color vision."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from nbner._common.colors import DISPLACY_COLORS, check_colors, label_colors, underline_of
from nbner.errors import DataError

#: Machado, Oliveira and Fernandes (2009), severity 1, over linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]
    ),
    "deuteranopia": np.array(
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]
    ),
    "tritanopia": np.array(
        [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]
    ),
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = XYZ.sum(axis=1)


def lab(rgb, vision):
    """Return CIELAB coordinates of an sRGB color as somebody sees it."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.clip(XYZ @ np.clip(VISIONS[vision] @ linear, 0, 1) / WHITE, 1e-6, None)
    fx, fy, fz = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def mixed(color, share, ground):
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return share * rgb + (1 - share) * np.array(ground)


def distance(a, b, vision, ground, ink):
    """Return how far two labels are apart, in their ground or in the line below."""
    tints = [lab(mixed(one, 0.26, ground), vision) for one in (a, b)]
    lines = [lab(mixed(underline_of(one), 0.55, ink), vision) for one in (a, b)]
    return max(np.linalg.norm(p - q) for p, q in (tints, lines))


@pytest.mark.parametrize("labels", [[f"label {i}" for i in range(32)], [*DISPLACY_COLORS]])
@pytest.mark.parametrize("vision", VISIONS)
def test_every_label_of_a_large_set_looks_different(labels, vision):
    colors = label_colors(labels)
    assert len({(str(one), underline_of(one)) for one in colors.values()}) == len(labels)
    for ground, ink in (((1, 1, 1), (0.13,) * 3), ((0.07,) * 3, (0.88,) * 3)):
        closest = min(
            (distance(colors[a], colors[b], vision, ground, ink), a, b)
            for a, b in combinations(labels, 2)
        )
        # About 2.3 is just noticeable side by side.
        assert closest[0] > 4.5, closest


def test_known_colors_are_kept_and_given_to_no_other_label():
    known = label_colors(["Action", "Tool"])
    colors = label_colors(["Brand", "Tool", "Action"], known)
    assert (colors["Tool"], colors["Action"]) == (known["Tool"], known["Action"])
    assert colors["Brand"] not in known.values()


@pytest.mark.parametrize(
    "wrong", [["#fff000"], "red", {"A": "red"}, {"A": 3}, {"A": "#fff"}, {"": "#ffffff"}, 3]
)
def test_what_is_no_color_is_refused_by_name(wrong):
    with pytest.raises(DataError, match="color"):
        check_colors(wrong)
