"""Several sketches as one."""

import numpy as np
import pytest

from clipasso import ClipassoError, Sketch
from clipasso.vector.join import join


def test_strokes_follow_each_other_as_they_are():
    rng = np.random.default_rng(0)
    parts = [
        Sketch(rng.uniform(0, 50, (n, 4, 2)), (50, 40), widths=n, colors=(n / 3, 0, 0),
               opacities=n / 3, metadata={"photo": "a.png"})
        for n in (2, 3)
    ]  # fmt: skip
    whole = join(parts, {"title": "both"})
    assert np.array_equal(whole.points[:2], parts[0].points)
    assert np.array_equal(whole.colors[:2], parts[0].colors)
    assert np.array_equal(whole.opacities[2:], parts[1].opacities)
    assert whole.metadata == {"title": "both"}
    assert np.array_equal(whole.points[2:], parts[1].points)
    assert whole.widths.tolist() == [2, 2, 3, 3, 3]
    assert join(parts).metadata == {}


def test_strokes_of_different_makes():
    line, curve = (Sketch(np.zeros((1, n, 2)), (9, 9)) for n in (2, 4))
    with pytest.raises(ClipassoError, match="different degrees"):
        join([line, curve])
