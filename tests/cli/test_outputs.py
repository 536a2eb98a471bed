"""What commands write: never over what they read, whole, named in time, and said safely."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from clipasso import ClipassoError, Sketch
from clipasso.cli import run
from clipasso.cli.console import Stream, shown
from clipasso.pipeline.claims import claimed
from clipasso.vector.safe_write import check_names, keep_apart, write_atomically

QUICK = [
    "--iterations", "2", "--seeds", "1", "--augmentations", "0", "--encoder", "efficientnet-lite0",
    "--strokes", "3", "--mask", "none",
]  # fmt: skip
posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX file names, pipes and signals")


def sketch(*arguments):
    return run(["sketch", *QUICK, *map(str, arguments)])


def program(*arguments, **options):
    command = [sys.executable, "-m", "clipasso", *map(os.fspath, map(str, arguments))]
    return subprocess.run(command, capture_output=True, timeout=300, check=False, **options)


@pytest.fixture
def svg(tmp_path):
    path = tmp_path / "drawing.svg"
    Sketch([[[10.0, 10], [20, 40], [60, 40], [90, 10]]], size=(100, 50)).save(path)
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# What is read is not written over.


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_photo_sketched_in_its_own_folder_stays(photo_path, force, capsys):
    before = photo_path.read_bytes()
    assert sketch(photo_path, "-o", photo_path.parent, *force) == 0
    assert photo_path.read_bytes() == before
    made = ["flower-sketch.json", "flower-sketch.png", "flower-sketch.svg"]
    assert names(photo_path.parent) == sorted([*made, "flower.png"])
    assert "flower-sketch.svg" in capsys.readouterr().out


def test_an_output_may_be_the_svg_of_the_only_photo(photo_path, tmp_path, capsys):
    out = tmp_path / "new" / "my rose.svg"
    assert sketch(photo_path, "-o", out) == 0
    assert str(out) in capsys.readouterr().out
    assert names(out.parent) == ["my rose.json", "my rose.png", "my rose.svg"]
    kept = out.read_bytes()
    assert sketch(photo_path, "-o", out) == 2
    other = photo_path.with_name("other.png")
    other.write_bytes(photo_path.read_bytes())
    assert sketch(photo_path, other, "-o", out, "--force") == 2
    assert "of one photo" in capsys.readouterr().err
    assert out.read_bytes() == kept
    beside = photo_path.with_suffix(".svg")  # its picture would be the photo's name
    assert sketch(photo_path, "-o", beside, "--force") == 2
    assert "another output" in capsys.readouterr().err


def test_a_folder_may_be_called_svg(photo_path, tmp_path):
    out = tmp_path / "all.svg"
    out.mkdir()
    assert sketch(photo_path, "-o", out, "-q") == 0
    assert names(out) == ["flower.json", "flower.png", "flower.svg"]


def test_a_photo_reached_by_links_stays(photo_path, tmp_path, capsys):
    before = photo_path.read_bytes()
    for name, link in (("soft", os.symlink), ("hard", os.link)):
        out = tmp_path / name
        out.mkdir()
        link(photo_path, out / "flower.png")
        assert sketch(photo_path, "-o", out, "--force", "-q") == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "flower.png" in error
        assert "another output" in error
        assert photo_path.read_bytes() == before
        assert names(out) == ["flower.png"]


@pytest.mark.parametrize("option", ["--mask", "--init", "--weights", "--saliency-weights"])
def test_files_of_options_are_not_written_over(option, photo_path, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    given = out / ("flower.svg" if option == "--init" else "flower.png")
    if option == "--init":
        Sketch([[[10.0, 10], [20, 40], [60, 40], [90, 10]]] * 3, size=(160, 120)).save(given)
    else:
        Image.new("L", (160, 120), 255).save(given)
    before = given.read_bytes()
    assert sketch(photo_path, "-o", out, option, given, "--force", "-q") == 2
    assert str(given) in capsys.readouterr().err
    assert given.read_bytes() == before


def test_another_photo_of_the_call_is_not_written_over(photo_path, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    other = out / "flower.png"  # in the output folder, of the name that the first one's picture has
    other.write_bytes(photo_path.read_bytes())
    assert sketch(photo_path, other, "-o", out, "--force", "-q") == 2
    assert names(out) == ["flower.png"]


def test_render_does_not_write_over_its_svg(svg, capsys):
    before = svg.read_bytes()
    for force in ([], ["--force"]):
        assert run(["render", str(svg), "-o", str(svg), *force]) == 2
        assert "another output" in capsys.readouterr().err
    assert svg.read_bytes() == before


def test_figure_draw_study_and_evaluate_keep_what_they_read(photo_path, tmp_path, capsys):
    sheet = tmp_path / "abstraction.png"
    photo_path.rename(sheet)
    before = sheet.read_bytes()
    assert run(["figure", "abstraction", str(sheet), "-o", str(tmp_path), "--force"]) == 2
    drawn = ["draw", "--photo", str(sheet), "-o", str(tmp_path), "--weights", str(sheet)]
    assert run([*drawn, "--force"]) == 2  # the weights are none, and the photo is not touched
    answers = tmp_path / "answers.json"
    answers.write_text("{}")
    assert run(["study", "--score", str(answers), "-o", str(answers), "--force"]) == 2
    assert "another output" in capsys.readouterr().err
    assert answers.read_text() == "{}"
    photos = tmp_path / "photos"
    (photos / "cat").mkdir(parents=True)
    (photos / "cat" / "one.png").write_bytes(before)
    assert run(["evaluate", str(photos), "-o", str(photos), "--judge", "edges"]) == 2
    assert "another output" in capsys.readouterr().err
    assert names(photos) == ["cat"]
    assert sheet.read_bytes() == before


@pytest.mark.parametrize(
    ("second", "option"), [("flower-mask.png", "--debug"), ("flower-rank2.jpg", "--all-seeds")]
)
def test_results_of_one_call_do_not_meet(second, option, photo_path, tmp_path, capsys):
    other = tmp_path / second
    Image.open(photo_path).save(other)
    out = tmp_path / "out"
    assert sketch(photo_path, other, "-o", out, option, "--seeds", 2, "-q") == 2
    error = capsys.readouterr().err
    assert "flower.png" in error
    assert second in error
    assert not out.exists()


def test_keep_apart_sees_the_same_file_under_other_names(tmp_path):
    one = tmp_path / "one"
    one.write_text("1")
    (tmp_path / "two").symlink_to(one)
    with pytest.raises(ClipassoError, match="two"):
        keep_apart([one], [tmp_path / "three", tmp_path / "two"])
    keep_apart([one, None, tmp_path / "missing"], [tmp_path / "missing", tmp_path / "three"])


# Files that are none, and names that cannot be.


@posix
def test_a_pipe_is_written_into_and_not_replaced(svg, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    assert run(["render", str(svg), "-o", str(pipe), "--size", "64"]) == 0
    reader.join(30)
    assert found[0].startswith(b"\x89PNG")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@posix
def test_a_device_is_written_into_and_not_replaced(svg, capsys):
    assert run(["render", str(svg), "-o", "/dev/null", "--force"]) == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    if Path("/dev/full").exists():
        assert run(["render", str(svg), "-o", "/dev/full"]) == 2
        assert "/dev/full: cannot be written" in capsys.readouterr().err
        assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_render_as_a_filter(svg, tmp_path):
    done = program("render", "-", "-o", "-", "--size", "64", input=svg.read_bytes(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    picture = tmp_path / "out.png"
    picture.write_bytes(done.stdout)
    assert Image.open(picture).size == (64, 32)
    assert b"1 strokes" in done.stderr
    assert names(tmp_path) == ["drawing.svg", "out.png"]


def test_sketch_as_a_filter(photo_path, tmp_path):
    done = program("sketch", "-", "-o", "-", *QUICK, input=photo_path.read_bytes(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(Sketch.from_svg(done.stdout)) == 3
    assert names(tmp_path) == ["flower.png"]
    again = program(
        "sketch", photo_path, "--init", "-", "-o", "out", *QUICK[:-4], input=done.stdout,
        cwd=tmp_path,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert len(Sketch.open(tmp_path / "out" / "flower.svg")) == 3


def test_a_mask_from_standard_input(photo_path, tmp_path):
    mask = tmp_path / "mask.png"
    picture = Image.new("L", (160, 120))
    picture.paste(255, (30, 10, 130, 110))
    picture.save(mask)
    command = ["sketch", photo_path, *QUICK[:-2], "--mask", "-", "-o", "out"]
    done = program(*command, input=mask.read_bytes(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert b"mask: standard input" in done.stdout
    done = program(*command, "--force", input=b"no picture", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(b"clipasso: -: ")


def test_standard_input_is_read_once(tmp_path, capsys):
    assert sketch("-", "--init", "-", "-o", tmp_path / "out") == 2
    assert "standard input" in capsys.readouterr().err
    assert sketch("-", tmp_path / "a.png", "-o", "-") == 2
    assert "-o -" in capsys.readouterr().err


def test_bad_standard_input_is_one_line(tmp_path):
    for arguments in (["sketch", "-", "-o", "out", *QUICK], ["render", "-", "-o", "-"]):
        done = program(*arguments, input=b"", cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.count(b"\n") == 1, done.stderr
        assert b"standard input" in done.stderr


@pytest.mark.parametrize("length", [244, 248])
def test_long_names_are_seen_before_any_work(length, tmp_path, capsys, monkeypatch):
    photo = tmp_path / f"{'x' * length}.png"
    Image.new("L", (40, 40)).save(photo)
    monkeypatch.setattr("clipasso.pipeline.models.load_models", None)  # no work
    assert sketch(photo, "-o", tmp_path / "out", "--all-seeds", "--seeds", 2, "--debug") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "rename the photo" in error
    assert names(tmp_path / "out") == []


def test_names_as_long_as_can_be_are_written(tmp_path):
    photo = tmp_path / "p.png"
    Image.new("L", (40, 40)).save(photo)
    longest = tmp_path / ("y" * 251 + ".svg")
    check_names([longest])
    write_atomically(longest, "mine")
    assert longest.read_text() == "mine"
    assert run(["render", str(photo), "-o", str(tmp_path / ("z" * 300))]) == 2


def test_a_file_system_without_permissions_takes_files(tmp_path, monkeypatch):
    def refused(*arguments, **options):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", refused)
    write_atomically(tmp_path / "file", "text")
    assert (tmp_path / "file").read_text() == "text"


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appeared_meanwhile_stays(links, tmp_path, monkeypatch):
    if not links:

        def unknown(*arguments):
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(os, "link", unknown)
    path = tmp_path / "file"
    write_atomically(path, "first", replace=False)
    with pytest.raises(ClipassoError, match="just made"):
        write_atomically(path, "second", replace=False)
    assert path.read_text() == "first"
    assert names(tmp_path) == ["file"]


# Two programs, and many photos.


def test_two_runs_do_not_make_the_same_files(photo_path, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    holder = (
        "import sys, time; from pathlib import Path; from clipasso.pipeline.claims import claimed\n"
        f"with claimed(Path({str(out)!r}), 'flower.svg'): print('held', flush=True); time.sleep(99)"
    )
    with subprocess.Popen([sys.executable, "-c", holder], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout.readline() == b"held\n"
            other_photo = tmp_path / "leaf.png"
            other_photo.write_bytes(photo_path.read_bytes())
            assert sketch(photo_path, other_photo, "-o", out, "-q", "--force") == 2
            assert "another clipasso" in capsys.readouterr().err
            assert [n for n in names(out) if n[0] != "."] == ["leaf.json", "leaf.png", "leaf.svg"]
        finally:
            other.kill()
    assert sketch(photo_path, "-o", out, "-q") == 0  # the lock ended with its holder
    assert "flower.svg" in names(out)


def test_claims_leave_nothing_behind(tmp_path):
    with claimed(tmp_path, "a"):
        assert len(names(tmp_path)) == 1
    assert names(tmp_path) == []


def test_a_batch_goes_on_where_it_was(photo_path, tmp_path, capsys):
    other = tmp_path / "leaf.png"
    other.write_bytes(photo_path.read_bytes())
    out = tmp_path / "out"
    assert sketch(photo_path, "-o", out, "-q") == 0
    before = (out / "flower.svg").stat().st_mtime_ns
    assert sketch(photo_path, other, "-o", out) == 2
    assert "--skip-existing" in capsys.readouterr().err
    assert sketch(photo_path, other, "-o", out, "--skip-existing") == 0
    assert "flower.svg: exists already" in capsys.readouterr().err
    assert (out / "flower.svg").stat().st_mtime_ns == before
    assert (out / "leaf.svg").exists()
    assert sketch(photo_path, other, "-o", out, "--skip-existing", "--force") == 2


def test_a_folder_is_its_photos(photo_path, tmp_path, capsys):
    folder = tmp_path / "photos"
    (folder / "inside").mkdir(parents=True)
    photo_path.rename(folder / "one.PNG")
    Image.open(folder / "one.PNG").save(folder / "two.jfif", "jpeg")
    Image.open(folder / "one.PNG").save(folder / "inside" / "three.png")
    (folder / "notes.txt").write_text("no photo")
    (folder / ".hidden.png").write_bytes((folder / "one.PNG").read_bytes())
    assert sketch(folder, "-o", folder) == 0
    assert "notes.txt" in capsys.readouterr().err
    made = {f"{n}-sketch.{e}" for n in ("one", "two") for e in ("svg", "png", "json")}
    there = {"inside", "notes.txt", ".hidden.png", "one.PNG", "two.jfif"}
    assert set(names(folder)) == made | there
    # The sketches' own pictures are no photos.
    assert sketch(folder, "-o", folder, "--skip-existing", "-q") == 0
    assert set(names(folder)) == made | there


def test_a_folder_without_photos_is_one_line(tmp_path, capsys):
    assert sketch(tmp_path, "-o", tmp_path / "out") == 2
    assert "without photos" in capsys.readouterr().err


# What is printed.


@posix
def test_names_that_cannot_be_printed_do_not_end_a_batch(photo_path, tmp_path):
    first, second = tmp_path / os.fsdecode(b"caf\xe9.png"), tmp_path / "\u732b\n\x1b[31m.png"
    for path in (first, second):
        path.write_bytes(photo_path.read_bytes())
    out = tmp_path / "out"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = program("sketch", first, second, "-o", out, *QUICK, env=environment)
    assert done.returncode == 0, done.stderr
    assert len(list(out.glob("*.svg"))) == 2
    assert done.stdout.count(b"\n") == 2  # a line each, whatever is in their names
    assert b"\x1b" not in done.stdout
    assert b"caf\\xe9" in done.stdout
    assert b"Traceback" not in done.stderr


@posix
@pytest.mark.parametrize("closed", ["full", "closed", "gone"])
def test_an_output_that_takes_nothing_costs_no_sketch(closed, photo_path, tmp_path):
    other = tmp_path / "leaf.png"
    other.write_bytes(photo_path.read_bytes())
    out = tmp_path / "out"
    command = [sys.executable, "-m", "clipasso", "sketch", photo_path, other, "-o", out, *QUICK]
    if closed == "full":
        if not Path("/dev/full").exists():
            pytest.skip("no full device here")
        with open("/dev/full", "wb") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 1
        assert b"standard output cannot be written to" in done.stderr
    elif closed == "closed":
        done = subprocess.run(
            ["sh", "-c", 'exec "$@" >&-', "sh", *command], stderr=subprocess.PIPE, check=False
        )
        assert done.returncode == 0
    else:
        gone, end = os.pipe()
        os.close(gone)
        done = subprocess.run(command, stdout=end, stderr=subprocess.PIPE, check=False)
        os.close(end)
        assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    assert len(list(out.glob("*.svg"))) == 2


@posix
def test_a_full_stderr_costs_no_sketch(photo_path, tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("no full device here")
    command = [sys.executable, "-m", "clipasso", "sketch", photo_path, "-o", tmp_path / "out"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*command, *QUICK], stdout=subprocess.PIPE, stderr=full, check=False)
    assert done.returncode == 0
    assert b"flower.svg" in done.stdout


def test_shown_escapes_what_a_terminal_would_obey():
    assert shown("a\nb\x1b[0m\udce9\u732b \u202e") == "a\\nb\\x1b[0m\\xe9\u732b \\u202e"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_stream_escapes_what_it_cannot_encode(encoding, tmp_path):
    with (tmp_path / "file").open("w", encoding=encoding) as file:
        assert Stream(file).write("\u732b \udce9 \u2588") == 5
    written = (tmp_path / "file").read_text(encoding=encoding)
    assert written == (
        "\u732b \\udce9 \u2588" if encoding == "utf-8" else "\\u732b \\udce9 \\u2588"
    )


def test_a_stream_that_is_lost_falls_silent(tmp_path):
    file = (tmp_path / "file").open("w", encoding="ascii")
    stream = Stream(file)
    stream.write("caf\u00e9")
    file.close()
    assert (tmp_path / "file").read_text() == "caf\\xe9"
    assert stream.lost is None
    assert stream.write("more") == 4
    stream.flush()
    assert isinstance(stream.lost, ValueError)


# Stopping.


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_there_is_anything_to_keep_says_so(number, photo_path, tmp_path):
    command = [sys.executable, "-m", "clipasso", "sketch", photo_path, "-o", tmp_path / "out"]
    pipe = tmp_path / "photo.png"
    os.mkfifo(pipe)  # reading it waits for ever
    command[4] = pipe
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 120
        while not (tmp_path / "out").is_dir() and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.5)
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + number, errors.decode()
    assert errors.decode().strip().splitlines()[-1] == "clipasso: stopped; nothing was written"
    assert names(tmp_path / "out") == []


@posix
def test_sigterm_keeps_the_best_so_far_and_counts_the_photos(photo_path, tmp_path):
    out = tmp_path / "out"
    other = tmp_path / "leaf.png"
    other.write_bytes(photo_path.read_bytes())
    code = (
        "import os, signal, sys\n"
        "from clipasso.cli.stopping import Stopping\n"
        "class Eager(Stopping):\n"
        "    def __setattr__(self, name, value):\n"
        "        super().__setattr__(name, value)\n"
        "        if name == 'keeping' and value and not self.event.is_set():\n"
        "            os.kill(os.getpid(), signal.SIGTERM)\n"
        "import clipasso.cli.outlet as s\n"
        "s.Stopping = Eager\n"
        "from clipasso.cli import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    quick = [*QUICK[2:], "--iterations", "100000", "--workers", "1"]
    command = [sys.executable, "-c", code, "sketch", photo_path, other, "-o", out, *quick]
    done = subprocess.run(command, capture_output=True, check=False, timeout=300)
    assert done.returncode == 143, done.stderr
    assert b"the best sketch so far is written" in done.stderr
    assert b"1 of 2 photos are written" in done.stderr
    assert names(out) == ["flower.json", "flower.png", "flower.svg"]
    assert json.loads((out / "flower.json").read_text())["stopped"] == "interrupted"


def test_an_end_of_file_is_not_taken_for_ctrl_c(photo_path, tmp_path, monkeypatch):
    def cut(*arguments, **options):
        raise EOFError("Ran out of input")

    monkeypatch.setattr("clipasso.pipeline.models.load_models", cut)
    with pytest.raises(RuntimeError, match="Ran out of input"):
        sketch(photo_path, "-o", tmp_path / "out")
