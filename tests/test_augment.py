"""One homography against torchvision's two steps."""

import numpy as np
import pytest
import torch
from torchvision.transforms import InterpolationMode, RandomPerspective, RandomResizedCrop
from torchvision.transforms import functional as tv

from clipasso.augment import apply_homographies, identity_homographies, random_homographies

SIZE = 96


def smooth_image(seed=0, size=SIZE):
    """A picture without frequencies that two resamplings would blur more than one."""
    g = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 6, 6, generator=g)
    return torch.nn.functional.interpolate(coarse, (size, size), mode="bicubic").clamp(0, 1)


def to_transform(endpoints, top, left, side):
    """Our matrix for torchvision's parameters, through our own solver."""
    from clipasso.augment import _solve

    corners = torch.tensor([[0, 0], [SIZE - 1, 0], [SIZE - 1, SIZE - 1], [0, SIZE - 1]])
    perspective = _solve(torch.tensor(endpoints)[None].double(), corners[None].double())
    crop = torch.tensor([[side / SIZE, 0, left], [0, side / SIZE, top], [0, 0, 1]])
    return (perspective[0] @ crop.double()).float()[None]


@pytest.mark.parametrize("seed", range(6))
def test_is_torchvisions_two_steps_in_one(seed):
    torch.manual_seed(seed)
    image = smooth_image(seed)
    start, end = RandomPerspective.get_params(SIZE, SIZE, 0.5)
    top, left, side, _ = RandomResizedCrop.get_params(image, scale=(0.8, 0.8), ratio=(1.0, 1.0))
    theirs = tv.perspective(image, start, end, InterpolationMode.BILINEAR, fill=0)
    theirs = tv.resized_crop(theirs, top, left, side, side, [SIZE, SIZE], antialias=True)
    ours = apply_homographies(image, to_transform(end, top, left, side))
    difference = (ours - theirs).abs()
    # The border of the warped photo is resampled twice there and once here.
    covered = apply_homographies(torch.ones_like(image), to_transform(end, top, left, side))
    inside = -torch.nn.functional.max_pool2d(-covered, 7, 1, 3) > 0.999
    assert inside.double().mean() > 0.3
    # Two resamplings blur a little more than one; half a pixel's shift would show as 0.01.
    assert difference[inside].mean() < 0.003
    assert difference[inside].max() < 0.03


def test_distribution_is_torchvisions():
    """Corner positions and crops have the same mean, spread and range."""
    count, reach = 4000, int(0.5 * (SIZE // 2))
    side = round(0.8**0.5 * SIZE)
    ours = random_homographies(count, SIZE, torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    theirs = []
    for _ in range(count):
        _, end = RandomPerspective.get_params(SIZE, SIZE, 0.5)
        top, left, height, width = RandomResizedCrop.get_params(
            torch.empty(3, SIZE, SIZE), scale=(0.8, 0.8), ratio=(1.0, 1.0)
        )
        assert (height, width) == (side, side)
        theirs.append(to_transform(end, top, left, side)[0])
    theirs = torch.stack(theirs)
    # Where output positions land in the input; far corners have heavy tails, so by quantiles.
    q, m = SIZE / 4, SIZE / 2
    probes = torch.tensor([[q, q, 1], [3 * q, q, 1], [m, m, 1], [3 * q, 3 * q, 1], [0, 0, 1]])
    a, b = ((z := probes @ t.transpose(1, 2))[..., :2] / z[..., 2:] for t in (ours, theirs))
    spread = b.quantile(0.9, 0) - b.quantile(0.1, 0)
    for level in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert ((a.quantile(level, 0) - b.quantile(level, 0)).abs() < 0.06 * spread).all()
    assert reach == 24


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


@pytest.mark.parametrize(("borders", "outside"), [("plain", 0.0), ("extend", 0.5)])
def test_what_stands_outside(borders, outside):
    shrink = torch.tensor([[[3.0, 0, -SIZE], [0, 3, -SIZE], [0, 0, 1]]])
    out = apply_homographies(torch.full((1, 1, SIZE, SIZE), 0.5), shrink, borders=borders)
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
