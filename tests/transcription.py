"""A slow, literal transcription of the paper's equations, as a reference for the tests.

Written from the paper and its hyperparameters alone, without sight of the package it is compared
with. It runs in the dtype of its inputs (float64 wanted) and under autograd.
"""

import math
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter
from skimage.filters import threshold_otsu


# ---------------------------------------------------------------- section 3: the sketch S = R(s)
def bezier(points, t):
    """De Casteljau: control points [k, 2] (k >= 1), parameters t of any shape -> [*t.shape, 2]."""
    level = [p.expand(*t.shape, 2) for p in points]
    while len(level) > 1:
        level = [(1 - t)[..., None] * a + t[..., None] * b for a, b in pairwise(level)]
    return level[0]


def hodograph(points):
    """Control points [k, 2] -> those of the derivative [k - 1, 2] (a single zero for a point)."""
    degree = len(points) - 1
    return degree * (points[1:] - points[:-1]) if degree > 0 else torch.zeros_like(points)


@torch.no_grad()
def nearest_parameter(points, pixels, samples=2000, newton_steps=8):
    """Control points [k, 2], pixel centres [m, 2] -> nearest point's parameter in 0..1, [m]."""
    grid = torch.linspace(0, 1, samples, dtype=points.dtype)
    t = grid[torch.cdist(pixels, bezier(points, grid)).argmin(dim=1)]
    first, second = hodograph(points), hodograph(hodograph(points))
    for _ in range(newton_steps):  # on f(t) = |B(t) - p|^2 / 2
        away = bezier(points, t) - pixels
        slope, bend = bezier(first, t), bezier(second, t)
        f1 = (away * slope).sum(-1)
        f2 = (slope * slope).sum(-1) + (away * bend).sum(-1)
        step = torch.where(f2 > 0, f1 / torch.where(f2 > 0, f2, 1), 0)
        trial = (t - step).clamp(0, 1)
        closer = (bezier(points, trial) - pixels).norm(dim=-1) <= away.norm(dim=-1)
        t = torch.where(closer, trial, t)
    return t


def stroke_coverage(points, width, size, sigma=0.5):
    """Section 3: one stroke, control points [k, 2] in pixels (x, y) -> coverage [size, size].

    d is the distance from pixel centre to curve, its nearest parameter held fixed (envelope
    theorem: there d does not change with the parameter, or the parameter is clamped at an end).
    """
    rows = []
    for y in range(size):
        x = torch.arange(size, dtype=points.dtype) + 0.5
        pixels = torch.stack([x, torch.full_like(x, y + 0.5)], dim=-1)
        t = nearest_parameter(points, pixels)
        squared = ((bezier(points, t) - pixels) ** 2).sum(-1)
        d = torch.where(squared > 0, squared, 1).sqrt() * (squared > 0)  # no gradient at 0
        rows.append(0.5 * (1 + torch.erf((width / 2 - d) / (sigma * math.sqrt(2)))))
    return torch.stack(rows)


def render_strokes(points, width, size, sigma=0.5):
    """Section 3, S = R(s_1..s_n): points [n, k, 2] -> [size, size], white 1, strokes black (0)."""
    image = torch.ones(size, size, dtype=points[0].dtype)
    for stroke in points:  # the product over the strokes of (1 - coverage)
        image = image * (1 - stroke_coverage(stroke, width, size, sigma))
    return image


# ------------------------------------------------------------- CLIP_l and CLIP: the image towers
def batch_norm(x, bn):
    """Batch normalisation by the stored statistics (eval mode), [b, c, h, w] -> the same."""
    x = (x.movedim(1, -1) - bn.running_mean) / (bn.running_var + bn.eps).sqrt()
    return (x * bn.weight + bn.bias).movedim(-1, 1)


def average_pool(x, k):
    """Means of k x k squares, [b, c, h, w] -> [b, c, h / k, w / k]."""
    return sum(x[:, :, j::k, i::k] for j in range(k) for i in range(k)) / k**2


def layer_norm(x, ln):
    """Layer normalisation over the last axis."""
    x = x - x.mean(-1, keepdim=True)
    return x / ((x**2).mean(-1, keepdim=True) + ln.eps).sqrt() * ln.weight + ln.bias


def attend(q, k, v, heads):
    """Attention head by head: q [b, s, c], k and v [b, t, c] -> [b, s, c] and [b, heads, s, t]."""
    d = q.shape[-1] // heads
    parts = [slice(i * d, (i + 1) * d) for i in range(heads)]
    scores = [q[..., p] @ k[..., p].transpose(1, 2) / math.sqrt(d) for p in parts]
    probabilities = torch.stack(scores, dim=1).softmax(dim=-1)
    if torch.is_grad_enabled() and not probabilities.requires_grad:
        probabilities.requires_grad_()  # frozen weights and a fixed photo: a graph starts here
    outputs = [probabilities[:, i] @ v[..., p] for i, p in enumerate(parts)]
    return torch.cat(outputs, dim=-1), probabilities


def bottleneck(x, block):
    """One Bottleneck of CLIP's ResNet: strides are average pools, in both branches."""
    out = torch.relu(batch_norm(F.conv2d(x, block.conv1.weight), block.bn1))
    out = torch.relu(batch_norm(F.conv2d(out, block.conv2.weight, padding=1), block.bn2))
    out = average_pool(out, block.stride)
    out = batch_norm(F.conv2d(out, block.conv3.weight), block.bn3)
    if block.downsample is not None:
        _, conv, bn = block.downsample
        x = batch_norm(F.conv2d(average_pool(x, block.stride), conv.weight), bn)
    return torch.relu(out + x)


def forward_resnet(visual, images):
    """CLIP's ResNet tower, normalised images [b, 3, s, s] -> ({1..5: [b, c, h, w]}, [b, dim]).

    Supplement E.1's numbering: 1 is the input of the first Bottleneck, 2..5 the stages' outputs.
    """
    x = images.to(visual.conv1.weight.dtype)
    x = torch.relu(batch_norm(F.conv2d(x, visual.conv1.weight, stride=2, padding=1), visual.bn1))
    x = torch.relu(batch_norm(F.conv2d(x, visual.conv2.weight, padding=1), visual.bn2))
    x = torch.relu(batch_norm(F.conv2d(x, visual.conv3.weight, padding=1), visual.bn3))
    layers = {1: (x := average_pool(x, 2))}
    for number in (1, 2, 3, 4):
        for block in getattr(visual, f"layer{number}"):
            x = bottleneck(x, block)
        layers[number + 1] = x
    pool = visual.attnpool  # tokens: the mean, then the positions in reading order
    tokens = x.flatten(2).transpose(1, 2)
    tokens = torch.cat([tokens.mean(1, keepdim=True), tokens], 1) + pool.positional_embedding
    q = tokens[:, :1] @ pool.q_proj.weight.T + pool.q_proj.bias
    k = tokens @ pool.k_proj.weight.T + pool.k_proj.bias
    v = tokens @ pool.v_proj.weight.T + pool.v_proj.bias
    out, _ = attend(q, k, v, pool.num_heads)
    return layers, out[:, 0] @ pool.c_proj.weight.T + pool.c_proj.bias


def forward_vit(visual, images):
    """CLIP's ViT tower, normalised images [b, 3, s, s] -> layers, embedding, attentions:

    {1..12: blocks' outputs [b, tokens, c]}, [b, dim], list of [b, heads, tokens, tokens] that are
    part of the autograd graph, so that gradients to them can be taken.
    """
    kernel = visual.conv1.weight  # [c, 3, p, p]
    c, _, p, _ = kernel.shape
    images = images.to(kernel.dtype)
    b, _, height, width = images.shape
    patches = []
    for y in range(0, height, p):
        for x in range(0, width, p):
            patches.append(images[:, :, y : y + p, x : x + p].reshape(b, -1) @ kernel.view(c, -1).T)
    x = torch.stack([visual.class_embedding.expand(b, c), *patches], dim=1)
    x = layer_norm(x + visual.positional_embedding, visual.ln_pre)
    layers, attentions = {}, []
    for number, block in enumerate(visual.transformer.resblocks, start=1):
        weight, bias = block.attn.in_proj_weight, block.attn.in_proj_bias
        y = layer_norm(x, block.ln_1)
        q, k, v = (y @ weight[i * c : (i + 1) * c].T + bias[i * c : (i + 1) * c] for i in range(3))
        y, probabilities = attend(q, k, v, block.attn.num_heads)
        x = x + y @ block.attn.out_proj.weight.T + block.attn.out_proj.bias
        y = layer_norm(x, block.ln_2) @ block.mlp.c_fc.weight.T + block.mlp.c_fc.bias
        y = y * torch.sigmoid(1.702 * y)  # OpenAI's QuickGELU
        x = x + y @ block.mlp.c_proj.weight.T + block.mlp.c_proj.bias
        layers[number] = x
        attentions.append(probabilities)
    return layers, layer_norm(x[:, 0], visual.ln_post) @ visual.proj, attentions


# --------------------------------------------------------------------- section 3.1: the objective
def semantic_distance(photo_embedding, sketch_embedding):
    """Equation 1: 1 - x.y / (|x| |y|), embeddings [b, dim] -> scalar, the mean over the batch."""
    x, y = photo_embedding, sketch_embedding
    return (1 - (x * y).sum(1) / ((x * x).sum(1).sqrt() * (y * y).sum(1).sqrt())).mean()


def geometric_distance(photo_layers, sketch_layers, which):
    """Equation 2, the layers in `which` added ({l: [b, ...]}) -> scalar.

    As released, a mean of squares over batch, channels, positions; the paper: a squared norm.
    """
    return sum(((photo_layers[i] - sketch_layers[i]) ** 2).mean() for i in which)


def objective(photo_layers, photo_embedding, sketch_layers, sketch_embedding, which, w_s=0.1):
    """Equation 3: L_geometric + w_s * L_semantic, arguments as above -> scalar."""
    geometric = geometric_distance(photo_layers, sketch_layers, which)
    return geometric + w_s * semantic_distance(photo_embedding, sketch_embedding)


def augmented(image, homography):
    """Section 3.2: resample [c, h, w] by a 3 x 3 homography of OUTPUT to INPUT coordinates.

    Pixel centres lie at +0.5; bilinear over the four neighbours, those outside count as 0 (black).
    """
    _, height, width = image.shape
    h = torch.as_tensor(homography, dtype=image.dtype)
    x = torch.arange(width, dtype=image.dtype)[None, :] + 0.5
    y = torch.arange(height, dtype=image.dtype)[:, None] + 0.5
    u, v, w = (h[i, 0] * x + h[i, 1] * y + h[i, 2] for i in range(3))
    u, v = u / w - 0.5, v / w - 0.5  # now the centre of pixel i lies at i
    left, top = u.floor().long(), v.floor().long()
    result = 0
    for j, share_y in ((top, top + 1 - v), (top + 1, v - top)):
        for i, share_x in ((left, left + 1 - u), (left + 1, u - left)):
            inside = (i >= 0) & (i < width) & (j >= 0) & (j < height)
            neighbour = image[:, j.clamp(0, height - 1), i.clamp(0, width - 1)]
            result = result + share_x * share_y * inside * neighbour
    return result


def batch_loss(
    tower_kind, visual, photo, points, width, homographies, which_layers, w_s, mean, std
):
    """Equations 1 to 3 on one step's batch -> scalar, differentiable in the points [n, k, 2].

    tower_kind is "resnet" or "vit"; photo [3, s, s] in 0..1. The batch is the clean pair and one
    augmented pair per homography, the SAME transform on photo and sketch, then CLIP's mean and std.
    """
    sketch = torch.stack([render_strokes(points, width, photo.shape[-1])] * 3)
    photos = [photo] + [augmented(photo, h) for h in homographies]
    sketches = [sketch] + [augmented(sketch, h) for h in homographies]
    shift, scale = (torch.as_tensor(m, dtype=photo.dtype).view(1, 3, 1, 1) for m in (mean, std))
    encode = {"resnet": forward_resnet, "vit": forward_vit}[tower_kind]
    encoded = [encode(visual, (torch.stack(x) - shift) / scale)[:2] for x in (photos, sketches)]
    return objective(*encoded[0], *encoded[1], which_layers, w_s)


# ------------------------------------------- section 3.3, supplements A and D: the initialisation
def class_row(matrix):
    """Row of the class token against the patches, [1 + g * g, 1 + g * g] -> [g, g]."""
    grid = math.isqrt(matrix.shape[-1] - 1)
    return matrix[0, 1:].reshape(grid, grid)


def attention_relevancy(attentions):
    """Supplements A, D.2: a list of [1, heads, tokens, tokens] -> [grid, grid].

    Mean over the heads of each block, then over the blocks, then the class token's row.
    """
    return class_row(sum(a[0].mean(dim=0) for a in attentions) / len(attentions))


def chefer_relevancy(attentions, embedding):
    """Section 3.3, Chefer et al. 2021: attentions as above, embedding [1, dim] -> [grid, grid].

    R = identity; block by block A_bar = mean over heads of (dy/dA * A)^+, R <- R + A_bar R. Without
    text, y is the embedding's product with its own direction, the direction held constant.
    """
    direction = (embedding / embedding.norm(dim=-1, keepdim=True)).detach()
    gradients = torch.autograd.grad((embedding * direction).sum(), attentions, retain_graph=True)
    relevancy = torch.eye(attentions[0].shape[-1], dtype=embedding.dtype)
    for a, gradient in zip(attentions, gradients, strict=True):
        a_bar = (gradient * a.detach())[0].clamp(min=0).mean(dim=0)
        relevancy = relevancy + a_bar @ relevancy
    return class_row(relevancy)


def to_map(relevancy, size):
    """[grid, grid] -> [size, size] by bicubic interpolation, then scaled to 0..1."""
    m = F.interpolate(relevancy[None, None], (size, size), mode="bicubic", align_corners=False)
    m = m[0, 0] - m.min()
    return m / m.max() if m.max() > 0 else m


def xdog(grey, rule="published", sigma=0.8, k=10, gamma=0.98, epsilon=-0.1, phi=200):
    """Section 3.3, XDoG edges: grey [h, w] in 0..1 (numpy) -> [h, w] of 0 and 1, 1 on an edge.

    D = G_sigma - gamma G_(k sigma). "published" (Winnemoeller): 1 where D >= epsilon, otherwise
    1 + tanh(phi (D - epsilon)). "circulated", as many copies have it: 1 where D < epsilon,
    otherwise 1 + tanh(phi D). Then Otsu's threshold; edges are the dark part.
    """
    grey = np.asarray(grey, dtype=np.float64)
    d = gaussian_filter(grey, sigma) - gamma * gaussian_filter(grey, k * sigma)
    if rule == "published":
        t = np.where(d >= epsilon, 1.0, 1 + np.tanh(phi * (d - epsilon)))
    else:
        t = np.where(d < epsilon, 1.0, 1 + np.tanh(phi * d))
    return 1.0 - (t >= threshold_otsu(t))


def sampling_distribution(saliency, edges, temperature=0.3):
    """Section 3.3: saliency and edges [h, w] (numpy) -> [h, w] that sums to 1.

    softmax(product / its maximum / temperature) where the product is above 0, zero elsewhere.
    """
    product = np.asarray(saliency, dtype=np.float64) * np.asarray(edges, dtype=np.float64)
    product = product / product.max()
    weights = np.where(product > 0, np.exp(product / temperature), 0.0)
    return weights / weights.sum()


# ------------------------------------------------------------------- supplement A: convergence
def converged_at(losses, tolerance=1e-5):
    """Index of the first evaluation that differs from the one before by less than tolerance."""
    changes = [abs(b - a) for a, b in pairwise(losses)]
    return next((i for i, change in enumerate(changes, start=1) if change < tolerance), None)
