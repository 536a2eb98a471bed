"""Lines drawn by hand as strokes."""

import numpy as np
import pytest

from clipasso import ClipassoError, Sketch
from clipasso.vector.freehand import strokes_along


def away(line, strokes, degree):
    """How far a line's points are from the strokes at most."""
    drawn = Sketch(strokes, (100, 100), degree).evaluate(np.linspace(0, 1, 400)).reshape(-1, 2)
    return np.linalg.norm(np.asarray(line)[:, None] - drawn[None], axis=2).min(1).max()


def test_a_line_that_is_a_stroke_already_is_found_again():
    stroke = np.array([[[10, 80], [20, 10], [70, 20], [90, 70]]], float)
    t = np.linspace(0, 1, 50) ** 1.5  # a hand does not keep to the curve's own pace
    line = Sketch(stroke, (100, 100)).evaluate(t)[0]
    found = strokes_along(line)
    assert found.shape == (1, 4, 2)
    np.testing.assert_allclose(found[0][[0, -1]], line[[0, -1]])
    assert away(line, found, 3) < 0.7


@pytest.mark.parametrize(("degree", "segments"), [(1, 1), (2, 1), (3, 1), (3, 2)])
def test_a_winding_line_becomes_several_strokes_end_to_end(degree, segments):
    x = np.linspace(0, 100, 120)
    line = np.stack([x, 50 + 20 * np.sin(x / 7)], 1)
    found = strokes_along(line, degree, segments, tolerance=2.0, most=40)
    assert len(found) > 1
    assert found.shape[1:] == (degree * segments + 1, 2)
    np.testing.assert_allclose(found[1:, 0], found[:-1, -1])
    assert away(line, found, degree) < 2.6


def test_a_mere_touch_is_a_dot():
    found = strokes_along([[5, 6], [5, 6], [5, 6]], 3, 2)
    np.testing.assert_allclose(found, np.broadcast_to([5, 6], (1, 7, 2)))


@pytest.mark.parametrize("line", [[], [[1, 2]], [[1, 2, 3], [4, 5, 6]], [[0, 0], [np.nan, 1]], "x"])
def test_what_is_no_line_is_refused(line):
    with pytest.raises(ClipassoError, match="a line must be at least two points"):
        strokes_along(line)
