"""One homography against torchvision's two steps."""

import numpy as np
import pytest
import torch
from torchvision.transforms import InterpolationMode, RandomPerspective, RandomResizedCrop
from torchvision.transforms import functional as tv

from clipasso.optimise.augment import apply_homographies, identity_homographies, random_homographies

SIZE = 96


def smooth_image(seed=0, size=SIZE):
    """A picture without frequencies that two resamplings would blur more than one."""
    g = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 6, 6, generator=g)
    return torch.nn.functional.interpolate(coarse, (size, size), mode="bicubic").clamp(0, 1)


def to_transform(endpoints, top, left, height, width):
    """Our matrix for torchvision's parameters, through our own solver."""
    from clipasso.optimise.augment import _solve

    corners = torch.tensor([[0, 0], [SIZE - 1, 0], [SIZE - 1, SIZE - 1], [0, SIZE - 1]])
    perspective = _solve(torch.tensor(endpoints)[None].double(), corners[None].double())
    crop = torch.tensor([[width / SIZE, 0, left], [0, height / SIZE, top], [0, 0, 1]])
    return (perspective[0] @ crop.double()).float()[None]


FIXED = {"scale": (0.8, 0.8), "ratio": (1.0, 1.0)}
VARIED = {"scale": (0.7, 0.9), "ratio": (3 / 4, 4 / 3)}


@pytest.mark.parametrize("borders", ["plain", "white"])
@pytest.mark.parametrize("crop", [FIXED, VARIED], ids=["fixed", "varied"])
@pytest.mark.parametrize("seed", range(6))
def test_is_torchvisions_two_steps_in_one(seed, crop, borders):
    torch.manual_seed(seed)
    image = smooth_image(seed)
    fill = 1 if borders == "white" else 0
    start, end = RandomPerspective.get_params(SIZE, SIZE, 0.5)
    top, left, height, width = RandomResizedCrop.get_params(image, **crop)
    theirs = tv.perspective(image, start, end, InterpolationMode.BILINEAR, fill=[fill] * 3)
    theirs = tv.resized_crop(theirs, top, left, height, width, [SIZE, SIZE], antialias=True)
    transform = to_transform(end, top, left, height, width)
    ours = apply_homographies(image, transform, borders=borders)
    difference = (ours - theirs).abs()
    # The border of the warped photo is resampled twice there and once here.
    covered = apply_homographies(torch.ones_like(image), transform)
    inside = -torch.nn.functional.max_pool2d(-covered, 7, 1, 3) > 0.999
    outside = torch.nn.functional.max_pool2d(covered, 7, 1, 3) < 0.001
    assert inside.double().mean() > 0.3
    # Two resamplings blur a little more than one; half a pixel's shift would show as 0.01.
    assert difference[inside].mean() < 0.003
    assert difference[inside].max() < 0.03
    assert (ours[outside] - fill).abs().sum() < 1e-4
    assert difference[outside].sum() < 1e-4


@pytest.mark.parametrize(("crop", "ranges"), [("fixed", FIXED), ("varied", VARIED)])
def test_distribution_is_torchvisions(crop, ranges):
    """Corner positions and crops have the same mean, spread and range."""
    count, reach = 4000, int(0.5 * (SIZE // 2))
    side = round(0.8**0.5 * SIZE)
    ours = random_homographies(count, SIZE, torch.Generator().manual_seed(0), crop=crop)
    torch.manual_seed(0)
    theirs = []
    for _ in range(count):
        _, end = RandomPerspective.get_params(SIZE, SIZE, 0.5)
        top, left, height, width = RandomResizedCrop.get_params(
            torch.empty(3, SIZE, SIZE), **ranges
        )
        assert crop == "varied" or (height, width) == (side, side)
        theirs.append(to_transform(end, top, left, height, width)[0])
    theirs = torch.stack(theirs)
    # Where output positions land in the input; far corners have heavy tails, so by quantiles.
    q, m = SIZE / 4, SIZE / 2
    probes = torch.tensor([[q, q, 1], [3 * q, q, 1], [m, m, 1], [3 * q, 3 * q, 1], [0, 0, 1]])
    a, b = ((z := probes @ t.transpose(1, 2))[..., :2] / z[..., 2:] for t in (ours, theirs))
    spread = b.quantile(0.9, 0) - b.quantile(0.1, 0)
    for level in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert ((a.quantile(level, 0) - b.quantile(level, 0)).abs() < 0.06 * spread).all()
    assert reach == 24


def crops(count, size, crop):
    """Width, height, left and top of our crops: transforms without any perspective."""
    found = random_homographies(
        count, size, torch.Generator().manual_seed(0), distortion=0.0, crop=crop
    ).double()
    assert torch.allclose(found[:, 2], torch.tensor([0.0, 0, 1]).double(), atol=1e-6)
    width, height = found[:, 0, 0] * size, found[:, 1, 1] * size
    return width, height, found[:, 0, 2], found[:, 1, 2]


def test_varied_crops_stay_within_their_ranges():
    size = 224
    width, height, left, top = crops(3000, size, "varied")
    for side, offset in ((width, left), (height, top)):
        assert (side - side.round()).abs().max() < 1e-3  # whole pixels
        assert (offset - offset.round()).abs().max() < 1e-3
        assert offset.min() > -1e-3
        assert (offset + side).max() < size + 1e-3
    area, ratio = width * height / size**2, width / height
    off = 2 / size  # sides are rounded
    assert 0.7 - off < area.min() < 0.71
    assert 0.89 < area.max() < 0.9 + off
    assert 0.75 - off < ratio.min() < 0.78
    assert 1.28 < ratio.max() < 4 / 3 + off
    assert len(set(width.round().tolist())) > 50


def test_varied_crops_are_distributed_as_torchvisions():
    size, count = 224, 4000
    ours = torch.stack(crops(count, size, "varied"), -1)
    torch.manual_seed(0)
    theirs = []
    for _ in range(count):
        top, left, height, width = RandomResizedCrop.get_params(
            torch.empty(3, size, size), **VARIED
        )
        theirs.append([width, height, left, top])
    theirs = torch.tensor(theirs).double()
    spread = theirs.quantile(0.9, 0) - theirs.quantile(0.1, 0)
    for level in (0.1, 0.25, 0.5, 0.75, 0.9):
        gap = (ours.quantile(level, 0) - theirs.quantile(level, 0)).abs()
        assert (gap < 0.06 * spread).all()
    a, b = (torch.corrcoef(x.T) for x in (ours, theirs))
    assert (a - b).abs().max() < 0.06


def test_identity_changes_nothing():
    image = smooth_image()
    assert (apply_homographies(image, identity_homographies(1)) - image).abs().max() < 1e-5


def test_same_seed_same_transforms_and_all_different():
    first = random_homographies(20, 224, torch.Generator().manual_seed(5))
    again = random_homographies(20, 224, torch.Generator().manual_seed(5))
    assert torch.equal(first, again)
    assert len({tuple(t.flatten().tolist()) for t in first}) == 20


def test_batch_is_each_image_alone():
    images = torch.cat([smooth_image(k) for k in range(3)])
    transforms = random_homographies(3, SIZE, torch.Generator().manual_seed(1))
    together = apply_homographies(images, transforms, borders="extend")
    for k in range(3):
        alone = apply_homographies(images[k : k + 1], transforms[k : k + 1], borders="extend")
        assert (together[k] - alone[0]).abs().max() < 1e-6


@pytest.mark.parametrize(("borders", "outside"), [("plain", 0.0), ("white", 1.0), ("extend", 0.5)])
def test_what_stands_outside(borders, outside):
    shrink = torch.tensor([[[3.0, 0, -SIZE], [0, 3, -SIZE], [0, 0, 1]]])
    grey = torch.full((1, 1, SIZE, SIZE), 0.5)
    out = apply_homographies(grey, shrink, borders=borders)
    assert out[0, 0, 0, 0] == outside
    assert out[0, 0, SIZE // 2, SIZE // 2] == pytest.approx(0.5)


def test_differentiable_in_the_images():
    image = smooth_image(size=16)[:, :1].double().requires_grad_()
    transform = random_homographies(1, 16, torch.Generator().manual_seed(2)).double()
    light = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 1, 16, 16)))
    (grad,) = torch.autograd.grad((apply_homographies(image, transform) * light).sum(), image)
    other = torch.rand_like(image)  # linear in the image: the gradient predicts any change
    change = ((apply_homographies(image + other, transform)
               - apply_homographies(image, transform)) * light).sum()  # fmt: skip
    assert float((grad * other).sum()) == pytest.approx(float(change.detach()), rel=1e-6)
