"""Several sketches as one."""

import numpy as np

from clipasso import Sketch
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


def test_strokes_of_different_makes_keep_their_shapes():
    line = Sketch(np.array([[[1.0, 1], [4, 7]]]), (9, 9))
    chain = Sketch(np.random.default_rng(1).uniform(0, 9, (2, 7, 2)), (9, 9), 3)
    whole = join([line, chain])
    assert (len(whole), whole.degree, whole.segments) == (3, 3, 2)
    ends = whole.evaluate(np.array([0.0, 1.0]))
    assert np.allclose(ends[:1], line.evaluate(np.array([0.0, 1.0])))
    assert np.array_equal(whole.points[1:], chain.points)
