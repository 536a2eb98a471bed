"""Which judges there are: chosen by name, loaded before anything is sketched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso.encoders import SALIENCY, at_hand, load_encoder
from clipasso.errors import ClipassoError
from clipasso.evaluate.classifiers import (
    LITE2,
    EfficientNetLite2,
    LabelJudge,
    lite2_weights,
    read_labels,
)
from clipasso.evaluate.judges import (
    CategoryJudge,
    EdgeJudge,
    EmbeddingJudge,
    InstanceJudge,
    MidLevelJudge,
    PromptJudge,
)

if TYPE_CHECKING:
    import torch

    from clipasso.encoders.base import Encoder
    from clipasso.evaluate.subjects import Seen

__all__ = ["AUTO", "Candidates", "Panel", "choose_judges", "seat", "without_partial"]

AUTO, EDGES, CLASSIFIER = "auto", "edges", "classifier"
_GEOMETRY = ("stage1", "stage2", "stage3")  # of Lite2; its deeper stages tell photos apart worse
_CONVOLUTIONAL = ("layer3", "layer4")  # of CLIP's ResNets, as in the loss (section 3.1)


@dataclass(frozen=True)
class Panel:
    """The judges at work; `notes` say who does not judge, and why."""

    instance: tuple[InstanceJudge, ...]
    category: tuple[CategoryJudge, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Judges that were chosen, before they have seen a photo.

    Attributes:
        networks: encoders that judge.
        classifier: timm's architecture, its checkpoint and labels, if one judges.
        edges: whether edge agreement does.
        automatic: nobody named them, so one may be left out.
        notes: who is missing, and why.
    """

    networks: tuple[Encoder, ...] = ()
    classifier: tuple[str, Path, tuple[str, ...]] | None = None
    edges: bool = True
    automatic: bool = False
    notes: tuple[str, ...] = ()


def choose_judges(
    names: Sequence[str],
    weights: Path | None = None,
    labels: Path | None = None,
    device: str | torch.device = "cpu",
) -> Candidates:
    """Load judges by name.

    Args:
        names: `edges`, `efficientnet-lite2`, any name of `load_encoder`'s, or
            `classifier:ARCHITECTURE` with weights and labels; none, or `auto`, is all that can be
            had: edges, Lite2 where its package is installed, and CLIP's ViT-B/32, the paper's
            judge, where its weights are here or the hub answers within three seconds.
        weights: a checkpoint of the one judge that is not packaged.
        labels: of a classifier, one a line.

    Raises:
        ClipassoError: a judge that cannot be had, or weights that could be of several.
    """
    wanted = list(dict.fromkeys(names)) or [AUTO]
    if AUTO in wanted:
        if len(wanted) > 1 or weights or labels:
            raise ClipassoError("--judge auto: stands alone; name the judges one by one instead")
        return _automatic(device)
    open_names = [name for name in wanted if name not in (EDGES, LITE2)]
    if weights and len(open_names) != 1:
        raise ClipassoError(f"--judge-weights {weights}: say whose they are with one --judge NAME")
    networks: list[Encoder] = []
    classifier = None
    for name in wanted:
        kind, _, architecture = name.partition(":")
        if kind == CLASSIFIER:
            if weights is None or labels is None:
                raise ClipassoError(
                    f"--judge {name}: needs --judge-weights FILE and --judge-labels FILE"
                )
            classifier = (architecture, weights, read_labels(labels))
        elif name == LITE2:
            networks.append(EfficientNetLite2().to(device))
        elif name != EDGES:
            networks.append(_named(name, weights, device))
    if labels and classifier is None:
        raise ClipassoError(f"--judge-labels {labels}: only for --judge {CLASSIFIER}:ARCHITECTURE")
    return Candidates(tuple(networks), classifier, EDGES in wanted)


def _named(name: str, weights: Path | None, device: str | torch.device) -> Encoder:
    try:
        return load_encoder(name, weights, device)
    except ClipassoError as error:
        # What `clipasso sketch` calls --weights and --encoder is the judge's here.
        told = str(error).partition("; give a checkpoint with --weights")[0]
        hint = "; give --judge-weights FILE" if told != str(error) else ""
        raise ClipassoError(f"--judge {told}{hint}") from None


def _automatic(device: str | torch.device) -> Candidates:
    networks: list[Encoder] = []
    notes = []
    try:
        lite2_weights()
        networks.append(EfficientNetLite2().to(device))
    except ClipassoError as error:
        notes.append(f"instances are judged by edges alone; {str(error).partition(': ')[2]}")
    if at_hand(SALIENCY, device):
        networks.append(load_encoder(SALIENCY, device=device))
    else:
        notes.append(
            f"classes are not judged: CLIP {SALIENCY}'s weights are not here; fetch them with "
            f"`clipasso encoders --get {SALIENCY}`, or give --judge {SALIENCY} --judge-weights FILE"
        )
    return Candidates(tuple(networks), automatic=True, notes=tuple(notes))


def without_partial(chosen: Candidates, made_with: Mapping[str, Sequence[str]]) -> Candidates:
    """See that no network judges sketches that were optimised with it (section 4.3).

    Args:
        made_with: the description of each encoder that sketches were made with, and their series.

    Returns:
        The judges, with a note on each of an encoder's architecture but other weights. A judge
        that is the encoder is left out, with a note, where nobody named it.

    Raises:
        ClipassoError: a judge that was named is the encoder.
    """
    networks, notes = list(chosen.networks), list(chosen.notes)
    for judge in chosen.networks:
        for encoder, series in made_with.items():
            ours, theirs = _parts(judge.description), _parts(encoder)
            if ours[0] != theirs[0]:
                continue
            whose = f"the sketches of {', '.join(series)} were optimised with {encoder}"
            if ours[1] != theirs[1]:
                notes.append(f"{judge.description} judges, and {whose}, of the same architecture")
                continue
            if not chosen.automatic:
                raise ClipassoError(
                    f"--judge {judge.name}: {whose}, which cannot judge them; choose another"
                )
            notes.append(f"{judge.description} does not judge: {whose}")
            networks = [network for network in networks if network is not judge]
    return Candidates(
        tuple(networks), chosen.classifier, chosen.edges, chosen.automatic,
        tuple(dict.fromkeys(notes)),
    )  # fmt: skip


def _parts(description: str) -> tuple[str, str]:
    """Architecture and training of "CLIP ViT-B-32 (openai, FILE)": the file may be anywhere."""
    architecture, _, rest = description.partition(" (")
    return architecture, rest.rstrip(")").partition(",")[0]


def seat(chosen: Candidates, photos: Sequence[Seen], categories: Sequence[str]) -> Panel:
    """Show the photos and the classes to the judges.

    Raises:
        ClipassoError: a classifier's checkpoint or labels that do not fit.
    """
    instance: list[InstanceJudge] = []
    category: list[CategoryJudge] = []
    notes = list(chosen.notes)
    pixels = [seen.photo.pixels for seen in photos]
    for network in chosen.networks:
        instance.append(MidLevelJudge(network, pixels, _middle(network)))
        if network.name == LITE2:
            continue
        instance.append(EmbeddingJudge(network, pixels))
        if len(categories) < 2:
            notes.append("classes are not judged: there is one only")
            continue
        try:
            category.append(PromptJudge(network, categories))
        except ClipassoError as error:
            notes.append(f"{network.description} does not judge classes: {error}")
    if chosen.classifier:
        category.append(LabelJudge(*chosen.classifier, categories))
    if chosen.edges:
        instance.append(EdgeJudge(photos))
    return Panel(tuple(instance), tuple(category), tuple(notes))


def _middle(network: Encoder) -> tuple[str, ...]:
    """Layers with geometry: early stages of CNNs, blocks a third and half way up in ViTs."""
    if network.name == LITE2:
        return _GEOMETRY
    names = network.layer_names
    if len(names) <= 7:
        return tuple(name for name in _CONVOLUTIONAL if name in names) or names[1:3]
    return names[len(names) // 3 - 1], names[len(names) // 2 - 1]
