"""The files of animations, read back."""

import io
import re
import sys
import warnings
import weakref
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import resvg_py
from PIL import Image, ImageSequence

from clipasso import ClipassoError, Sketch, animate
from clipasso.vector.animate import files, gif
from clipasso.vector.animate.moving import smooth
from clipasso.vector.animate.recorded import recorded
from clipasso.vector.render import render
from clipasso.vector.svg import limits

SVG = "{http://www.w3.org/2000/svg}"


def some(count=3, seed=0, colors=(0.0, 0, 0), **looks):
    points = np.random.default_rng(seed).uniform(5, 75, (count, 4, 2)).round(3)
    return Sketch(
        points, (100, 80), widths=2.0, colors=colors, metadata={"photo": "a<b.png"}, **looks
    )


@pytest.fixture
def films():
    drawn = animate(some(), seconds=1, hold=0.5)
    morph = animate(some(4, 1), some(2, 2), some(3, 3), seconds=1, hold=0.25)
    states = [Sketch(some().points + d, (100, 80), widths=2.0) for d in (0, 5, 6)]
    return {"drawn": drawn, "morph": morph, "recorded": recorded(states, 1, 0.5)}


def parsed(data):
    """Frames, and how long each is shown in ms."""
    image = Image.open(io.BytesIO(data))
    frames, durations = [], []
    for frame in ImageSequence.Iterator(image):
        frames.append(np.asarray(frame.convert("RGB")).astype(int))
        durations.append(frame.info["duration"])
    return frames, durations, image.info.get("loop")


@pytest.mark.parametrize("kind", ["drawn", "morph", "recorded"])
@pytest.mark.parametrize("format", ["gif", "webp"])
def test_frames_are_the_sketch_at_their_time(films, kind, format):
    film = films[kind]
    frames, durations, loop = parsed(film.encode(format, size=64, fps=20))
    assert sum(durations) == round(1000 * film.duration)
    assert loop == 0  # for ever
    assert {f.shape for f in frames} == {(51, 64, 3)}
    assert 10 < len(frames) <= film.frame_count(20)
    until = 0
    for frame, duration in zip(frames, durations, strict=True):
        shown = render(film.at(min(until / 1000 + 0.05, film.duration)), 64).astype(int)
        assert np.abs(frame - shown).max() <= 5  # 32 greys
        until += duration
    assert np.abs(frames[-1] - render(film.still, 64)).max() <= 5
    assert durations[-1] >= 1000 * 0.25


@pytest.mark.parametrize(("loop", "gif_says"), [(0, 0), (1, None), (3, 2)])
def test_how_often_it_plays(films, loop, gif_says):
    film = films["drawn"]
    assert parsed(film.encode("gif", size=32, fps=5, loop=loop))[2] == gif_says
    assert parsed(film.encode("webp", size=32, fps=5, loop=loop))[2] == loop


@pytest.mark.parametrize("format", ["gif", "webp"])
def test_colors_stay(format):
    colors = np.array([[1.0, 0, 0], [0, 0.5, 0.25], [0, 0, 1]])
    film = animate(some(colors=colors), some(2, 4, (1.0, 0.6, 0)), seconds=0.5, hold=0.5)
    frames, *_ = parsed(film.encode(format, size=64, fps=10))
    for k, sketch in ((0, film.at(0)), (-1, film.still)):
        off = np.abs(frames[k] - render(sketch, 64))
        assert off.mean() < 0.5
        assert np.quantile(off, 0.995) < 25
        assert (frames[k][0, 0] == 255).all()


def test_frames_of_a_fraction_of_hundredths_add_up(films):
    durations = parsed(films["drawn"].encode("gif", size=32, fps=30))[1]
    assert sum(durations) == 1500
    assert {30, 40} <= set(durations)


def test_a_picture_held_longer_than_a_gif_can_say(monkeypatch):
    monkeypatch.setattr(gif, "_LONGEST", 40)
    frames, durations, _ = parsed(
        animate(some(), seconds=0.2, hold=1).encode("gif", size=32, fps=10)
    )
    assert sum(durations) == 1200
    assert max(durations) == 400
    assert np.array_equal(frames[-1], frames[-2])


def test_frames_are_not_held(films):
    """No more than a few are alive at once, however many there are."""
    alive, most = [], 0

    def pictures():
        nonlocal most
        for picture in inner(64, 30):
            here = picture.copy()
            alive.append(weakref.ref(here))
            most = max(most, sum(one() is not None for one in alive))
            yield here
            del here

    film = films["morph"]
    inner = film.pictures
    for format in ("gif", "webp"):
        alive.clear()
        most = 0
        film.pictures = lambda size, fps: pictures()
        film.encode(format, size=64, fps=30)
        assert len(alive) > 30
        assert most <= 4


@pytest.mark.parametrize("kind", ["drawn", "morph", "recorded"])
@pytest.mark.parametrize("loop", [0, 1])
def test_an_animated_svg_is_the_sketch_to_every_reader(films, kind, loop, tmp_path):
    film = films[kind]
    path = tmp_path / "moving.svg"
    film.save(path, loop=loop)
    ET.parse(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing is left out
        read = Sketch.open(path)
    assert read.points == pytest.approx(film.still.points, abs=5e-4)
    assert read == Sketch.from_svg(film.still.to_svg())

    def drawn(text):
        data = bytes(resvg_py.svg_to_bytes(svg_string=text))
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))

    assert np.array_equal(drawn(path.read_text()), drawn(film.still.to_svg()))


def test_a_group_of_anyone_elses_that_is_hidden_is_still_told():
    text = some().to_svg()
    text = text.replace("</svg>", '<g display="none"><path d="M0 0 1 1"/></g></svg>')
    with pytest.warns(UserWarning, match="1 hidden element"):
        Sketch.from_svg(text)


def test_the_style_sheet_draws_as_frames_do(films):
    film = films["drawn"]
    text = film.to_svg()
    media, *_ = re.findall(
        r"@media \(prefers-reduced-motion: no-preference\)\{(.*?)\n\}", text, re.S
    )
    assert "@media" not in text.replace("@media (prefers-reduced-motion: no-preference)", "")
    outside = text.replace(media, "")
    assert "animation:" not in outside
    assert "stroke-dasharray" not in outside
    names = re.findall(r'class="([\w-]+)" pathLength="1"', text)
    assert len(names) == len(film.still)
    for k, name in enumerate(names):
        assert re.search(
            rf"\.{name}{{stroke-dasharray:1;animation:{name} 1.5s linear 1 both}}", media
        )
        (frames,) = re.findall(rf"@keyframes {name}{{(.*)}}\n", text)
        marks, offsets = [], []
        for where, offset in re.findall(r"([\d.%,]+)\{[^}]*stroke-dashoffset:([\d.]+)", frames):
            for mark in where.split(","):
                marks.append(float(mark.rstrip("%")))
                offsets.append(float(offset))
        assert marks == sorted(set(marks))
        for t in np.linspace(0, 1.5, 61):
            shown = 1 - np.interp(t / 1.5 * 100, marks, offsets)
            drawn = film.pace.drawn(k, t / film.seconds)
            assert shown == pytest.approx(min(max(drawn, 0), 1), abs=0.01)
        start = film.pace.starts[k] / 1.5 * 100
        hidden = re.match(r"0%(?:,([\d.]+)%)?\{visibility:hidden", frames)
        assert float(hidden[1] or 0) == pytest.approx(start, abs=1e-4)


@pytest.mark.parametrize("kind", ["morph", "recorded"])
def test_the_moving_paths_move_as_frames_do(films, kind):
    film = films[kind]
    root = ET.fromstring(film.to_svg())
    still, moving = root.findall(f"{SVG}g")
    assert moving.get("display") == "none"
    sheet = root.find(f"{SVG}style").text
    assert f".{still.get('class')}{{display:none}}" in sheet
    assert f".{moving.get('class')}{{display:inline}}" in sheet
    numbers = re.compile(r"-?\d+\.?\d*")
    for t in np.linspace(0, film.duration, 23):
        there = []
        for path in moving:
            now = {name: path.get(name) for name in ("d", "stroke-width")}
            for one in path.findall(f"{SVG}animate"):
                assert one.get("dur") == f"{film.duration:g}s"
                times = np.array([float(x) for x in one.get("keyTimes").split(";")]) * film.duration
                values = [np.array(numbers.findall(v), float) for v in one.get("values").split(";")]
                assert times[0] == 0
                assert times[-1] == pytest.approx(film.duration)
                k = min(int(np.searchsorted(times, t, side="right")) - 1, len(times) - 2)
                part = (t - times[k]) / (times[k + 1] - times[k])
                if film.eased:
                    assert len(one.get("keySplines").split(";")) == len(times) - 1
                    part = smooth(part)
                now[one.get("attributeName")] = (1 - part) * values[k] + part * values[k + 1]
            width = now["stroke-width"]
            if float(width if isinstance(width, str) else width[0]) > 0.02:
                d = now["d"]
                d = np.array(numbers.findall(d), float) if isinstance(d, str) else d
                there.append(d.reshape(-1, 2))
        shown = film.at(t)
        shown = shown.select(shown.widths > 0.02)
        assert len(there) == len(shown)
        for points in shown.points:
            off = [min(np.abs(d - points).max(), np.abs(d[::-1] - points).max()) for d in there]
            assert min(off) < 0.15


def test_the_page_stands_alone(films):
    for film in films.values():
        page = film.encode("html").decode()
        assert page.startswith("<!doctype html>")
        assert "<title>Sketch of a&lt;b.png</title>" in page or film is not films["drawn"]
        assert '<button type="button"' in page
        links = re.findall(r"""(?:src|href|url|import)\W{1,2}\S+""", page)
        assert links == []
        assert set(re.findall(r"https?://[\w./]+", page)) == {"http://www.w3.org/2000/svg"}
        inner = page[page.index("<svg") : page.index("</svg>") + 6]
        assert len(Sketch.from_svg(inner)) == len(film.still)


def test_two_drawings_on_one_page_do_not_meet():
    def names(film):
        return set(re.findall(r"@keyframes ([\w-]+)", film.to_svg()))

    assert not names(animate(some())) & names(animate(some(seed=1)))
    assert not names(animate(some())) & names(animate(some(), seconds=5))


def test_very_many_strokes_get_a_rougher_sheet_or_are_refused(monkeypatch):
    film = animate(some(30), seconds=60)
    whole = len(film.to_svg())
    monkeypatch.setattr(limits, "MAX_CSS", whole // 2)
    rougher = film.to_svg()
    assert len(rougher) < whole * 0.8
    assert Sketch.from_svg(rougher) == Sketch.from_svg(film.still.to_svg())
    monkeypatch.setattr(limits, "MAX_CSS", 1000)
    with pytest.raises(ClipassoError, match="30 strokes, too many for an animated SVG"):
        film.to_svg()


@pytest.mark.parametrize(
    ("format", "given", "what"),
    [
        ("tiff", {}, "--format tiff: must be svg, html, gif, webp or mp4"),
        ("gif", {"size": 4}, "--size 4: must be from 16 to 4096"),
        ("gif", {"size": 0}, "--size 0"),
        ("webp", {"size": 5000}, "--size 5000"),
        ("gif", {"fps": 60}, "--fps 60: must be from 1 to 50 for GIF"),
        ("webp", {"fps": 0}, "--fps 0"),
        ("gif", {"loop": -1}, "--loop -1"),
        ("mp4", {"loop": 0}, "cannot ask to be played for ever"),
        ("svg", {"size": 100}, "--size: SVG has no frames"),
        ("html", {"fps": 10}, "--fps: HTML has no frames"),
    ],
)
def test_options_out_of_range(films, format, given, what):
    with pytest.raises(ClipassoError, match=re.escape(what)):
        films["drawn"].encode(format, **given)


def test_too_many_pixels_are_refused_before_any_is_drawn(monkeypatch):
    monkeypatch.setattr(files, "render", None)
    film = animate(some(), seconds=600)
    film.pictures = None
    with pytest.raises(ClipassoError, match=r"choose a smaller --size, --fps or --seconds"):
        film.encode("gif", size=4000)


def test_an_mp4_without_pyav_says_what_to_install(films, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ClipassoError, match=r"pip install 'clipasso\[video\]'"):
        films["drawn"].encode("mp4")


@pytest.mark.parametrize("loop", [1, 2])
def test_an_mp4_is_even_and_as_every_player_knows_it(films, loop):
    av = pytest.importorskip("av")
    film = films["drawn"]
    data = film.encode("mp4", size=65, fps=20, loop=loop)
    assert data.index(b"moov") < data.index(b"mdat")  # plays while it is loaded
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert stream.pix_fmt == "yuv420p"
        assert stream.average_rate == 20
    assert frames[0].shape == (52, 66, 3)
    assert len(frames) == 30 * loop
    for k in (3, 12, 29, 30 * loop - 1):
        shown = render(film.at(((k % 30) + 1) / 20), 65)
        assert np.abs(frames[k][:52, :65].astype(int) - shown).mean() < 3
        assert frames[k][:, 65].min() > 240
