"""Where the results of commands that make sketches go, under which names, and what is told."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from clipasso.cli.compiling import compiling_said
from clipasso.cli.console import say, tell, tell_bytes
from clipasso.cli.record import Record, Recorded
from clipasso.cli.stdio import STANDARD
from clipasso.cli.stopping import Cancelled, Stopping, exit_status
from clipasso.errors import ClipassoError
from clipasso.pipeline.claims import claimed
from clipasso.raster.compiling import compile_ahead
from clipasso.vector.safe_write import check_names, exists, keep_apart, prepare_folder

if TYPE_CHECKING:
    from clipasso.pipeline.result import Result

__all__ = ["Job", "Outlet", "Written"]


class Job(NamedTuple):
    """A photo to sketch, and the stem of its results' names."""

    photo: Path
    stem: str


class Written(NamedTuple):
    """What is told of a result whose files are written.

    Attributes:
        line: for people.
        report: the line of JSON, if that is wanted.
        svg: for standard output, if it goes there.
        stopped_at: the step at which it was interrupted, or None.
        recorded: its recording, if that is made by then.
    """

    line: str
    report: str | None
    svg: bytes | None
    stopped_at: int | None
    recorded: Recorded | None = None


@dataclass
class Outlet:
    """Where results go and what is told of them.

    Attributes:
        folder: for the files, made if missing; `-` writes one SVG to standard output instead. Given
            a name that ends in `.svg` and is no folder's, that is the SVG of the only photo.
        seeds: of each result, at most.
        all_seeds, debug: write more files (`write_result`).
        force: overwrite existing files.
        skip: pass over photos whose SVG exists.
        quiet, as_json: print nothing, or each report as a line of JSON.
        record: where recordings go, None for none.
        counted: the number of strokes is to be found, of which `debug` has a picture.
        named: the stem of the only photo's results, if that was given.
        written: photos whose results are written.
        unrecorded: those of them whose recordings should be, and are not.
    """

    folder: Path
    seeds: int
    all_seeds: bool = False
    debug: bool = False
    force: bool = False
    skip: bool = False
    quiet: bool = False
    as_json: bool = False
    record: Record | None = None
    counted: bool = False
    named: str | None = field(default=None, init=False)
    written: int = field(default=0, init=False)
    unrecorded: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.force and self.skip:
            raise ClipassoError("--skip-existing and --force: give one of them")
        if self.to_stdout and (self.all_seeds or self.debug or self.as_json):
            raise ClipassoError(
                "-o -: one SVG goes to standard output; give a folder for more than that"
            )
        if self.folder.suffix == ".svg" and not os.path.isdir(self.folder):
            self.folder, self.named = self.folder.parent, self.folder.stem

    @property
    def to_stdout(self) -> bool:
        """Whether the SVG goes to standard output."""
        return self.folder == STANDARD

    @property
    def silent(self) -> bool:
        """Whether a progress bar would be in the way."""
        return self.quiet or self.as_json

    def plan(self, photos: Iterable[Path], read: Iterable[Path | None] = ()) -> list[Job]:
        """The photos to sketch and the names of their results; makes the folder.

        In the photos' own folder results are called `NAME-sketch`, so that `cat.png` and its
        sketch's picture do not meet.

        Args:
            read: other files that the command reads, not to be overwritten.

        Raises:
            ClipassoError: results would overwrite each other, what is read, or unasked what is
                there; or could not be written. All of it before any work.
        """
        photos = list(photos)
        jobs = [Job(photo, self._stem(photo)) for photo in photos]
        if self.to_stdout:
            if len(jobs) != 1:
                raise ClipassoError(f"-o -: takes one photo, not {len(jobs)}; give a folder")
            return jobs
        if self.named is not None and len(jobs) > 1:
            given = self.folder / f"{self.named}.svg"
            raise ClipassoError(f"-o {given}: is of one photo, not {len(jobs)}; give a folder")
        self._see_clashes(jobs)
        jobs = [job for job in jobs if not self._skipped(job)]
        planned = [path for job in jobs for path in self.files(job.stem)]
        keep_apart([*photos, *read], planned)
        for path in planned:
            self._see_existing(path)
        prepare_folder(self.folder)
        if planned:
            check_names(planned)
        return jobs

    def files(self, stem: str) -> list[Path]:
        """What will be written for a stem."""
        from clipasso.pipeline.output import planned_files

        return planned_files(
            self.folder, stem, self.seeds, all_seeds=self.all_seeds, debug=self.debug,
            counted=self.counted,
        )  # fmt: skip

    def claim(self, job: Job, held: ExitStack) -> None:
        """Keep other processes from making the same files until `held` is closed.

        Raises:
            ClipassoError: another is about to, or has done so by now.
        """
        if self.to_stdout:
            return
        held.enter_context(claimed(self.folder, f"{job.stem}.svg"))
        for path in self.files(job.stem):
            self._see_existing(path)

    def say_plan(self, result: Result) -> None:
        """Say what was chosen for a time limit, if there was one."""
        plan = result.time_plan
        if plan is not None and not self.silent:
            name = f"{result.photo.name}: " if result.photo.name else ""
            say(f"{name}--time {plan.limit:g}s: {plan.in_words()}")

    def write(self, result: Result, stem: str) -> None:
        """Write a result's files and say so; then its recording."""
        self.tell(self.keep(result, stem))
        if self.record is not None:
            self._tell_recorded(self.record.write(result, stem, self.silent))

    def keep(self, result: Result, stem: str) -> Written:
        """Write a result's files and say nothing, as in a process beside the one that speaks."""
        from clipasso.pipeline.output import write_result

        report, svg, where = None, None, "standard output"
        if self.to_stdout:
            svg = result.sketch.to_svg().encode()
        else:
            files = write_result(
                result, self.folder, stem, all_seeds=self.all_seeds, debug=self.debug,
                replace=self.force,
            )  # fmt: skip
            where = str(files[0])
            if self.as_json:
                report = json.dumps({**result.report(), "files": [str(f) for f in files]})
        steps = result.outcome.steps if result.outcome.stopped == "interrupted" else None
        return Written(self._line(result, where), report, svg, steps)

    def tell(self, written: Written) -> None:
        """Say what was written, and count it."""
        if written.svg is not None:
            tell_bytes(written.svg)
        if written.report is not None:
            tell(written.report)
        if not self.silent:
            tell(written.line)
        self.written += 1
        if written.stopped_at is not None:
            say(f"stopped at step {written.stopped_at}; the best sketch so far is written")
        if written.recorded is not None:
            self._tell_recorded(written.recorded)

    def _tell_recorded(self, recorded: Recorded) -> None:
        if not recorded.written:
            self.unrecorded += 1
            say(recorded.line)
        elif not self.silent:
            tell(recorded.line)

    @contextmanager
    def at_work(self, jobs: int) -> Iterator[Stopping]:
        """While sketches are made: an interrupt says what is written of so many photos.

        Raises:
            Cancelled: interrupted, and there was nothing to keep of what was being made.
        """
        compile_ahead("forward", "backward", *(() if self.to_stdout else ("paint",)))
        with Stopping() as stopping, compiling_said(self.quiet):
            try:
                yield stopping
            except KeyboardInterrupt as error:
                self.say_stopped(jobs)
                raise Cancelled(exit_status(error), said=True) from error

    def say_stopped(self, jobs: int) -> None:
        """Say what is there after an interrupt that left photos undone."""
        done = f"{self.written} of {jobs} photos are written" if self.written else ""
        say(f"stopped; {done or 'nothing was written'}")

    def _line(self, result: Result, where: str) -> str:
        times = result.photo.frame.zoom
        zoom = "" if times == 1 else f", zoomed {round(times, 1):g} times to its object"
        faces = len(result.close_ups.faces)
        close = f", {faces} face{'s' if faces > 1 else ''} from close up" if faces else ""
        count = "" if result.stroke_count is None else f" ({result.stroke_count.in_words()})"
        loss = result.outcome.losses[result.outcome.winner]
        together = f" with {result.together - 1} more" if result.together > 1 else ""
        return (
            f"{where}  {len(result.sketch)} strokes{count}, loss {loss:.4g}, seed {result.seed}, "
            f"{result.outcome.steps} steps in {sum(result.seconds.values()):.0f} s{together}, "
            f"{result.encoder}, mask: {result.mask.source}{zoom}{close}"
        )

    def _stem(self, photo: Path) -> str:
        if self.named is not None:
            return self.named
        if photo == STANDARD:
            return "stdin"
        try:
            beside = photo.parent.samefile(self.folder)
        except OSError:  # one of them is not there
            beside = False
        return f"{photo.stem}-sketch" if beside else photo.stem

    def _see_clashes(self, jobs: Iterable[Job]) -> None:
        owner: dict[Path, Path] = {}
        for job in jobs:
            for path in self.files(job.stem):
                other = owner.setdefault(path, job.photo)
                if other is not job.photo:
                    raise ClipassoError(
                        f"{job.photo} and {other}: would both be written as {path}; sketch them "
                        "into different folders"
                    )

    def _skipped(self, job: Job) -> bool:
        svg = self.folder / f"{job.stem}.svg"
        if not (self.skip and exists(svg)):
            return False
        if not self.silent:
            say(f"{svg}: exists already, {job.photo} is skipped")
        return True

    def _see_existing(self, path: Path) -> None:
        if not self.force and exists(path):
            also = "" if self.skip else ", or --skip-existing to go on with the others"
            raise ClipassoError(f"{path}: exists already; give --force to overwrite it{also}")
