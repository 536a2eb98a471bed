"""Caches: where they go without a home, what is trusted, and kernels whose code is damaged."""

import errno
import importlib.util
import json
import logging
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numba
import numpy as np
import pytest
from PIL import Image

import clipasso
from clipasso import ClipassoError
from clipasso.encoders import hub
from clipasso.figures.make import make_figure
from clipasso.figures.plan import Asked
from clipasso.photo.masks import u2net
from clipasso.raster import compiled

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows gives every user a home")

NOBODY = 54321  # a user without an entry
SOURCE = Path(clipasso.__file__).parents[1]
SKETCH = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 99 99"><path d="M 9 9 C 20 80 60 0 90 90"'
    ' stroke="black" stroke-width="2" fill="none"/></svg>'
)
# Python without any folder for temporary files, whatever this machine has.
NO_TEMPORARY = """
import os, runpy, sys, tempfile
real = os.access
os.access = lambda path, *rest, **named: path not in ("/tmp", "/var/tmp", "/usr/tmp") and real(
    path, *rest, **named
)
tempfile._candidate_tempdir_list = list
"""


def without_privileges(nobody: bool = False) -> list[str]:
    """What stands before a command so that a read-only folder is one for root too.

    Args:
        nobody: run as `NOBODY`, who may read all there is (this Python may lie in root's home).
    """
    if os.geteuid() != 0 and not nobody:
        return []
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root, and setpriv to become somebody else")
    if not nobody:
        return ["setpriv", "--bounding-set=-all"]
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *reading]


@pytest.fixture(scope="module")
def open_folder():
    """A folder that `NOBODY` can enter; pytest's own are private."""
    folder = Path(tempfile.mkdtemp(prefix="caches-"))
    folder.chmod(0o755)
    yield folder
    for made in folder.rglob("*"):
        if made.is_dir() and not made.is_symlink():
            made.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def read_only(open_folder) -> Path:
    """A folder with the package that cannot be written to."""
    site = open_folder / "site"
    site.mkdir()
    shutil.copytree(
        SOURCE / "clipasso", site / "clipasso", ignore=shutil.ignore_patterns("__pycache__")
    )
    for folder in (site, *site.rglob("*")):
        folder.chmod(0o555 if folder.is_dir() else 0o444)
    return site


@pytest.fixture
def place(open_folder):
    """A folder with `work`, `home` and `tmp` that anybody may write to, as temporary ones are."""
    folder = Path(tempfile.mkdtemp(dir=open_folder))
    for name in ("work", "home", "tmp"):
        (folder / name).mkdir()
        (folder / name).chmod(0o1777)
    folder.chmod(0o755)
    return folder


class Machine:
    """Runs Python as it would run in a container: with the variables given and no others."""

    def __init__(self, place: Path, packages: Path, nobody: bool = False) -> None:
        self.place, self.packages, self.before = place, packages, without_privileges(nobody)

    def python(self, *arguments, **variables):
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(self.packages), "OMP_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1", "HF_HUB_OFFLINE": "1",
            "TMPDIR": self.place / "tmp", **variables,
        }  # fmt: skip
        return subprocess.run(
            [*self.before, sys.executable, *map(str, arguments)], check=False, text=True,
            env={name: str(value) for name, value in environment.items()},
            cwd=self.place / "work", capture_output=True, timeout=400,
        )  # fmt: skip

    def clipasso(self, *arguments, **variables):
        return self.python("-m", "clipasso", *arguments, **variables)

    def settled(self, before="", **variables):
        """What `import clipasso` makes of the variables: those it changed, deleted ones as None."""
        code = f"{before}\nimport json, os\nold = dict(os.environ)\nimport clipasso\n" + (
            "names = [n for n in {**old, **os.environ} if old.get(n) != os.environ.get(n)]\n"
            "print(json.dumps({n: os.environ.get(n) for n in names}))"
        )
        done = self.python("-c", code, **variables)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def left(self):
        """What the working folder holds."""
        return {p.name for p in (self.place / "work").iterdir()}


def assert_well(done):
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


HOMELESS = {"HOME": "~"}  # what Python answers where there is neither HOME nor an entry


class TestSettle:
    """In a process that imports nothing but the package itself."""

    def private(self, place):
        return str(place / "tmp" / f"clipasso-{os.geteuid()}")

    def test_a_good_home_is_left_alone(self, place, read_only):
        assert Machine(place, read_only).settled(HOME=place / "home") == {}
        assert not list((place / "home").iterdir()) + list((place / "tmp").iterdir())

    def all_in(self, private):
        return {
            "XDG_CACHE_HOME": str(private),
            "U2NET_HOME": f"{private}/u2net",
            "MPLCONFIGDIR": f"{private}/matplotlib",
            "TRITON_CACHE_DIR": f"{private}/triton",
        }

    def test_without_a_home_all_go_into_one_folder(self, place, read_only):
        private = self.private(place)
        assert Machine(place, read_only).settled(**HOMELESS) == self.all_in(private)
        assert stat.S_IMODE(os.stat(private).st_mode) == 0o700

    @pytest.mark.parametrize("home", [None, "", "/nonexistent/home", "/dev/null"])
    def test_somebody_without_a_home(self, place, read_only, home):
        """A container's user: without an entry, or with one whose home was never made."""
        told = {} if home is None else {"HOME": home}
        changed = Machine(place, read_only, nobody=True).settled(**told)
        assert changed == self.all_in(place / "tmp" / f"clipasso-{NOBODY}")

    def test_weights_that_can_be_read_stay(self, place, read_only):
        kept = place / "home" / ".cache"
        (kept / "huggingface").mkdir(parents=True)
        kept.chmod(0o555)
        (kept / "huggingface").chmod(0o555)
        changed = Machine(place, read_only).settled(HOME=place / "home")
        private = self.private(place)
        assert changed == {
            "TORCH_HOME": f"{private}/torch",
            "MPLCONFIGDIR": f"{private}/matplotlib",
            "NUMBA_CACHE_DIR": f"{private}/numba",
        }

    def test_caches_that_cannot_be_made(self, place, read_only):
        changed = Machine(place, read_only).settled(
            HOME=place / "home", XDG_CACHE_HOME="/dev/null/caches"
        )
        assert changed == {"XDG_CACHE_HOME": self.private(place)}

    def test_what_is_chosen_stays(self, place, read_only):
        names = ["HF_HOME", "TORCH_HOME", "U2NET_HOME", "MPLCONFIGDIR", "TRITON_HOME"]
        chosen = dict.fromkeys(names, "/dev/null/chosen")
        changed = Machine(place, read_only).settled(**HOMELESS, **chosen)
        assert set(changed) == {"XDG_CACHE_HOME"}

    def test_kernels_go_where_they_can(self, place, read_only):
        machine, nowhere = Machine(place, read_only), {"NUMBA_CACHE_DIR": "/dev/null/kernels"}
        assert machine.settled(HOME=place / "home", **nowhere) == {}  # numba's next choice is good
        changed = machine.settled(HOME=place / "home", XDG_CACHE_HOME=place / "old", **nowhere)
        assert changed == {}
        (place / "old" / "numba").mkdir(parents=True)
        (place / "old" / "numba").chmod(0o777)  # anybody may have put machine code there
        changed = machine.settled(HOME=place / "home", XDG_CACHE_HOME=place / "old", **nowhere)
        assert changed == {"NUMBA_CACHE_DIR": self.private(place) + "/numba"}

    def test_a_numba_that_is_there_already_is_told(self, place, read_only):
        code = "import numba, clipasso; print(numba.config.CACHE_DIR)"
        done = Machine(place, read_only).python(
            "-c", code, HOME=place / "home", XDG_CACHE_HOME=place / "old"
        )
        assert done.stdout.strip() == ""
        (place / "old").mkdir()
        (place / "old").chmod(0o555)
        done = Machine(place, read_only).python(
            "-c", code, HOME=place / "home", XDG_CACHE_HOME=place / "old"
        )
        assert done.stdout.strip() == self.private(place) + "/numba"

    @pytest.mark.parametrize("value", ["", "~/caches"])
    def test_variables_that_mean_no_folder(self, place, read_only, value):
        names = ["XDG_CACHE_HOME", "HF_HOME", "TORCH_HOME", "NUMBA_CACHE_DIR", "MPLCONFIGDIR"]
        told, home = dict.fromkeys(names, value), place / "home"
        meant = f"{home}/caches" if value else None
        machine = Machine(place, read_only)
        assert machine.settled(HOME=home, **told) == dict.fromkeys(names, meant)
        changed = machine.settled(**HOMELESS, **told)
        assert not [value for value in changed.values() if value and not value.startswith("/")]

    def test_it_says_so_to_the_log(self, place, read_only):
        before = "import logging; logging.basicConfig(level=logging.DEBUG)"
        code = f"{before}\nimport clipasso"
        done = Machine(place, read_only).python("-c", code, **HOMELESS)
        assert f"DEBUG:clipasso._caches:XDG_CACHE_HOME={self.private(place)}: " in done.stderr

    def test_without_a_temporary_folder_nothing_is_kept(self, place, read_only):
        changed = Machine(place, read_only).settled(NO_TEMPORARY, TMPDIR="/dev/null", **HOMELESS)
        assert changed.pop("TORCHINDUCTOR_CACHE_DIR") == "/"
        assert set(changed) >= {"XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "HF_HOME"}
        assert all(value.startswith("/dev/null/") for value in changed.values())

    @pytest.mark.parametrize("kind", ["link", "open to all", "file", "somebody's"])
    def test_a_folder_that_somebody_prepared(self, place, read_only, kind):
        machine = Machine(place, read_only)
        theirs = Path(self.private(place))
        if kind == "file":
            theirs.write_bytes(b"")
        elif kind == "link":
            (place / "theirs").mkdir()
            theirs.symlink_to(place / "theirs")
        else:
            theirs.mkdir()
            theirs.chmod(0o777 if kind == "open to all" else 0o755)
        if kind == "somebody's":
            if os.geteuid() != 0:
                pytest.skip("needs root, to give a folder away")
            os.chown(theirs, NOBODY, NOBODY)
        taken = machine.settled(**HOMELESS)["XDG_CACHE_HOME"]
        assert re.fullmatch(re.escape(str(place / "tmp" / "clipasso-")) + r"\w+", taken)
        assert taken != str(theirs)
        assert not Path(taken).exists()  # it goes with the program


class TestCommands:
    """The real command line in an installation that is read-only, without a home."""

    @pytest.mark.parametrize("nobody", [False, True])
    def test_encoders(self, place, read_only, nobody):
        variables = {} if nobody else HOMELESS
        machine = Machine(place, read_only, nobody)
        done = machine.clipasso("encoders", **variables)
        assert_well(done)
        assert "RN101" in done.stdout
        assert machine.left() == set()

    def test_render_keeps_its_kernel_in_the_private_folder(self, place, read_only):
        machine = Machine(place, read_only)
        (place / "work" / "a.svg").write_text(SKETCH)
        done = machine.clipasso("render", "a.svg", "--size", "99", **HOMELESS)
        assert_well(done)
        assert machine.left() == {"a.svg", "a.png"}
        assert np.asarray(Image.open(place / "work" / "a.png")).min() < 50
        kept = place / "tmp" / f"clipasso-{os.geteuid()}" / "numba"
        assert list(kept.rglob("kernel_forward._paint-*.nbc"))

    @pytest.mark.slow
    @pytest.mark.parametrize("case", ["nobody", "no temporary folder", "a home that is not there"])
    def test_sketch_with_all_defaults(self, place, read_only, case, photo_path):
        pixels = np.asarray(Image.open(photo_path)).copy()
        pixels[pixels.min(-1) == 255] = np.random.default_rng(0).integers(90, 130, 3)
        pixels[:, :70] += 40  # no backdrop of one colour: U2-Net is looked for
        Image.fromarray(pixels).save(place / "work" / "a.png")
        (place / "work" / "a.png").chmod(0o644)
        words = ["sketch", "a.png", "-o", "out", "--iterations", "1", "--seeds", "1"]
        machine = Machine(place, read_only, nobody=case == "nobody")
        if case == "no temporary folder":
            code = f"{NO_TEMPORARY}\nrunpy.run_module('clipasso', None, '__main__')"
            done = machine.python("-c", code, *words, TMPDIR="/dev/null", **HOMELESS)
        else:
            variables = {} if case == "nobody" else {"HOME": "/nonexistent"}
            done = machine.clipasso(*words, **variables)
        assert_well(done)
        assert machine.left() == {"a.png", "out"}
        assert {p.name for p in (place / "work" / "out").iterdir()} == {"a.svg", "a.json", "a.png"}

    @pytest.mark.slow
    def test_two_at_once_and_a_kernel_that_was_cut_short(self, place):
        machine = Machine(place, SOURCE)
        (place / "work" / "a.svg").write_text(SKETCH)
        kernels = {"NUMBA_CACHE_DIR": place / "kernels", "HOME": place / "home"}

        def draw(name):
            return machine.clipasso("render", "a.svg", "-o", name, "--size", "99", **kernels)

        with ThreadPoolExecutor(2) as pool:
            for done in pool.map(draw, ["1.png", "2.png"]):
                assert_well(done)
        files = list((place / "kernels").rglob("kernel_*"))
        assert files
        for file in files:
            file.write_bytes(b"")
        assert_well(draw("3.png"))
        assert all(file.stat().st_size for file in files if "_forward._forward" in file.name)
        drawn = [(place / "work" / f"{n}.png").read_bytes() for n in (1, 2, 3)]
        assert drawn[0] == drawn[1] == drawn[2]


class TestCompiled:
    """Functions of a file of our own, loaded anew as another process would."""

    @pytest.fixture(autouse=True)
    def kept(self, tmp_path, monkeypatch):
        """Where numba keeps their code."""
        monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "kernels"))
        return tmp_path / "kernels"

    @pytest.fixture
    def source(self, tmp_path):
        """The file."""
        path = tmp_path / "doubling.py"
        path.write_text(
            "from clipasso.raster.compiled import compiled\n\n\n"
            "@compiled(nogil=True)\ndef double(x):\n    return 2 * x\n"
        )
        return path

    def double(self, source):
        """Call the function and say whether its code was there already."""
        spec = importlib.util.spec_from_file_location("doubling", source)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert module.double(3.5) == 7
        assert module.double.signatures  # compiled, not interpreted
        return sum(module.double.stats.cache_hits.values()) == 1

    def test_code_is_kept(self, source):
        assert not self.double(source)
        assert self.double(source)

    @pytest.mark.parametrize("end", ["nbi", "nbc"])
    @pytest.mark.parametrize("left", [0.0, 0.5, 0.99])
    def test_damaged_code_is_compiled_anew_once(self, source, kept, end, left, caplog):
        self.double(source)
        (file,) = kept.rglob(f"*.{end}")
        whole = file.read_bytes()
        file.write_bytes(whole[: int(left * len(whole))])
        with caplog.at_level(logging.DEBUG, "clipasso.raster.compiled"):
            assert not self.double(source)
        assert "unreadable code is compiled anew" in caplog.text
        assert self.double(source)

    def test_damaged_code_that_cannot_be_thrown_away(self, source, kept, monkeypatch):
        self.double(source)
        for file in kept.rglob("*.nbi"):
            file.write_bytes(b"")

        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, "replace", full)  # numba's last step of writing
            assert not self.double(source)
            assert not self.double(source)
        assert not self.double(source)  # now there is space again
        assert self.double(source)

    @pytest.mark.parametrize("error", [errno.ENOSPC, errno.EACCES])
    def test_code_that_cannot_be_written(self, source, monkeypatch, error, caplog):
        def refuse(*_):
            raise OSError(error, os.strerror(error))

        monkeypatch.setattr(os, "replace", refuse)
        with caplog.at_level(logging.DEBUG, "clipasso.raster.compiled"):
            assert not self.double(source)
        assert "its code cannot be kept" in caplog.text

    def test_nowhere_to_keep_it(self, source, monkeypatch, caplog):
        monkeypatch.setattr(numba.config, "CACHE_DIR", "/dev/null/kernels")
        monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/caches")
        (source.parent / "__pycache__").write_bytes(b"")  # a file: no folder, for root too
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        with caplog.at_level(logging.DEBUG, "clipasso.raster.compiled"):
            assert not self.double(source)
        assert "double is compiled in every run: cannot cache function" in caplog.text

    def test_another_numba(self, source, kept, monkeypatch):
        """One whose cache has moved compiles in every run."""
        monkeypatch.setattr(compiled, "_KernelCache", None)
        assert not self.double(source)
        assert not kept.exists()


class TestWeights:
    def test_no_home_is_no_weights(self, monkeypatch):
        monkeypatch.setenv("HOME", "~")
        for name in ("U2NET_HOME", "REMBG_HOME", "XDG_DATA_HOME"):
            monkeypatch.delenv(name, raising=False)
        assert hub.cached_weights("RN101", "openai") is None
        assert u2net.cached_weights() is None

    def test_a_home_that_may_not_be_entered(self, place):
        (place / "home").chmod(0)
        code = (
            "from clipasso.encoders import hub\nfrom clipasso.photo.masks import u2net\n"
            "print(hub.cached_weights('RN101', 'openai'), u2net.cached_weights())"
        )
        done = Machine(place, SOURCE).python("-c", code, HOME=place / "home")
        assert done.stdout == "None None\n", done.stderr

    @pytest.mark.skipif(not u2net.installed(), reason="rembg is not installed")
    @pytest.mark.parametrize("error", [RuntimeError("no locator available"), EOFError()])
    def test_rembg_needs_no_kernels_of_its_own(self, monkeypatch, error):
        def fail(*_):
            raise error

        for name in list(sys.modules):
            if name.split(".")[0] in ("rembg", "pymatting"):
                monkeypatch.delitem(sys.modules, name)
        monkeypatch.setattr("numba.core.dispatcher.Dispatcher.enable_caching", fail)
        network, _ = u2net._rembg()
        assert network.name() == "u2net"
        assert not numba.config.DISABLE_JIT
        for name in list(sys.modules):
            if name.split(".")[0] in ("rembg", "pymatting"):
                del sys.modules[name]


def test_a_figure_says_so_before_its_runs(monkeypatch, tmp_path, photo_path):
    def refuse(*_args, **_options):
        raise FileNotFoundError("No usable temporary directory found")

    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setenv("MPLCONFIGDIR", "/dev/null/matplotlib")
    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(ClipassoError, match="name one in the environment variable MPLCONFIGDIR"):
        make_figure(
            "abstraction", [photo_path], tmp_path / "out", asked=Asked("draft", 1, 1, (4,)),
            encoder="efficientnet-lite0",
        )  # fmt: skip
    assert not (tmp_path / "out").exists()
