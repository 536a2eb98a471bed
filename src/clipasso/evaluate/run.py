"""The evaluation from end to end."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import clipasso.evaluate.panel as judges
from clipasso.errors import ClipassoError
from clipasso.evaluate.grid import Grid
from clipasso.evaluate.page import write_page
from clipasso.evaluate.report import Evaluation, as_json, sketches_csv, summary_csv
from clipasso.evaluate.results import Protocol, measures, score
from clipasso.evaluate.series import Drawn, Series, find_sketches
from clipasso.evaluate.subjects import Seen, Subject, find_subjects, read_photo
from clipasso.pipeline.grid import GridProgress
from clipasso.vector.safe_write import prepare_folder, write_atomically

__all__ = ["FILES", "evaluate"]

FILES = ("evaluation.html", "evaluation.json", "summary.csv", "sketches.csv")
"""What is written, the first for people."""

_FAMILY = "EfficientNet-Lite"


def evaluate(
    folder: Path,
    output: Path,
    *,
    own: Sequence[Series] = (),
    others: Sequence[Series] = (),
    grid: Grid | None = None,
    chosen: judges.Candidates | None = None,
    protocol: Protocol | None = None,
    mask: str = "auto",
    force: bool = False,
    on_progress: Callable[[GridProgress], None] = lambda progress: None,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[Evaluation, list[Path]]:
    """Sketch what is not there yet, show all sketches to the judges, and write the report.

    Args:
        folder: of photos, `CLASS/PHOTO`.
        output: exists.
        own: series that are sketched here, by the grid; others: that were made elsewhere.
        chosen: judges; by default all that can be had.
        protocol: how instances are asked for.
        mask: as for `make_mask`, for the photos that the judges see.
        force: sketch anew what is there.
        on_progress: of the grid; say: is told what a person should know.

    Returns:
        All that was found, and the files of `FILES`.

    Raises:
        ClipassoError: anything that cannot be used; what concerns a single photo or sketch is
            among the evaluation's failures instead.
    """
    protocol, chosen = protocol or Protocol(), chosen or judges.choose_judges(())
    labels = [series.label for series in (*own, *others)]
    if twice := next((label for label in labels if labels.count(label) > 1), None):
        raise ClipassoError(f"--sketches: {twice} is a column already; name it, as in NAME=DIR")
    subjects, passed_over = find_subjects(folder)
    drawn: list[Drawn] = []
    notes = list(passed_over)
    for series in others:
        found, lines = find_sketches(series, subjects)
        drawn += found
        notes += lines
    made_with = _made_with(drawn)
    if own and grid is not None:
        made_with.setdefault(grid.study.main_encoder().description, []).extend(s.label for s in own)
    chosen = judges.without_partial(chosen, made_with)
    for note in (*notes, *chosen.notes):
        say(note)
    failures: list[str] = []
    usable, photos = _read_photos(subjects, mask, failures)
    remarks = [note for seen in photos for note in seen.photo.notes]
    if own and grid is not None:
        made, failed = grid.make(usable, own, force=force, on_progress=on_progress)
        drawn, failures = made + drawn, failures + failed
    kept = set(usable)
    drawn = [one for one in drawn if one.subject in kept]
    categories = sorted({subject.category for subject in usable})
    panel = judges.seat(chosen, photos, categories)
    scored, unread, found_out = score(drawn, usable, photos, panel, protocol)
    failures += unread
    remarks += found_out
    for line in (*remarks, *failures):
        say(line)
    if not scored:
        raise ClipassoError(f"{folder}: no sketch of any photo could be judged")
    evaluation = Evaluation(
        usable, photos, (*own, *others), scored, tuple(measures(panel)), panel, protocol,
        made_with, (*notes, *panel.notes, *remarks, *_favours(made_with, chosen)), failures,
    )  # fmt: skip
    return evaluation, _write(evaluation, output)


def _made_with(drawn: Sequence[Drawn]) -> dict[str, list[str]]:
    """Series by the encoder that their reports name, "" for none."""
    found: dict[str, list[str]] = {}
    for one in drawn:
        labels = found.setdefault(one.encoder, [])
        if one.series.label not in labels:
            labels.append(one.series.label)
    return found


def _read_photos(
    subjects: Sequence[Subject], mask: str, failures: list[str]
) -> tuple[list[Subject], list[Seen]]:
    usable, photos = [], []
    for subject in subjects:
        try:
            photos.append(read_photo(subject, mask))
        except ClipassoError as error:
            failures.append(str(error))
            continue
        usable.append(subject)
    if not usable:
        raise ClipassoError(failures[0])
    return usable, photos


def _favours(made_with: dict[str, list[str]], chosen: judges.Candidates) -> list[str]:
    judging = [n.description for n in chosen.networks if n.description.startswith(_FAMILY)]
    making = [name for name in made_with if name.startswith(_FAMILY)]
    if not judging or not making:
        return []
    return [
        f"{judging[0]} is another network than {making[0]}, but of its family and trained on the "
        "same photos: it may favour sketches made with that one over those of other methods"
    ]


def _write(evaluation: Evaluation, output: Path) -> list[Path]:
    summary = list(evaluation.summary())
    report = json.dumps(as_json(evaluation, summary, output), indent=1, ensure_ascii=False)
    contents = dict(zip(FILES, (
        write_page(evaluation, summary), report + "\n", summary_csv(summary),
        sketches_csv(evaluation, output),
    ), strict=True))  # fmt: skip
    prepare_folder(output)
    for name, text in contents.items():
        write_atomically(output / name, text)
    return [output / name for name in FILES]
