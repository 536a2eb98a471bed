"""The studio as a browser's requests meet it: photos, sketches, files, the line, and safety."""

import io
import json
import re
import shlex
import socket
import threading
import time

import numpy as np
import pytest
from PIL import Image

from clipasso import Sketch
from clipasso.cli import run
from clipasso.cli.studio import visitors

pytest.importorskip("starlette", reason="the extra `ui` is not installed")
pytest.importorskip("uvicorn", reason="the extra `ui` is not installed")
httpx = pytest.importorskip("httpx", reason="the extra `test` is not installed")


@pytest.fixture(scope="module")
def done(quick):
    """Somebody whose photo was sketched, and how everything stands then."""
    y, x = np.mgrid[:120, :160]
    pixels = np.full((120, 160, 3), 255, np.uint8)
    pixels[(x - 80) ** 2 + (y - 50) ** 2 < 35**2] = (180, 40, 30)
    photo = io.BytesIO()
    Image.fromarray(pixels).save(photo, format="png")
    person = quick.visit()
    return person, person.sketched(photo.getvalue())


def fetched(person, number, kind="svg", **asked):
    return person.http.get(f"/api/sketches/{number}/{kind}", params=asked).raise_for_status()


def strokes_of(person, number):
    return Sketch.from_json(person.http.get(f"/api/sketches/{number}").raise_for_status().text)


def test_a_photo_is_shown_with_its_mask(person, phone_photo):
    state = person.upload(phone_photo.read_bytes(), phone_photo.name).raise_for_status().json()
    assert state["photo"]["name"] == "IMG_0001.JPG"
    assert state["photo"]["size"] == [768, 1024]  # upright
    shown = Image.open(io.BytesIO(person.http.get("/api/photo.jpg").content))
    mask = Image.open(io.BytesIO(person.http.get("/api/mask.png").content))
    assert shown.size == mask.size == (768, 1024)
    red = shown.getpixel((384, 358))  # the disc is above the middle
    assert (red[0] > 140, red[2] < 90) == (True, True)
    assert shown.getpixel((384, 900))[2] > 200


def test_every_seed_is_kept_the_best_first(done):
    person, state = done
    assert state["job"]["state"] == "done"
    assert state["job"]["curve"][0][0] == 0
    assert [one["stem"] for one in state["sketches"]] == ["flower", "flower-rank2"]
    assert state["sketches"][0]["loss"] <= state["sketches"][1]["loss"]
    for one in state["sketches"]:
        assert len(Sketch.from_svg(fetched(person, one["number"]).text)) == one["strokes"] == 5


def test_the_command_line_that_is_shown_makes_the_same(
    make_real_studio, flower, tmp_path, monkeypatch
):
    person = make_real_studio(4).visit()
    state = person.sketched(flower)
    number = state["sketches"][1]["number"]
    asked = {"paper": "a5"}
    lines = person.http.get(f"/api/sketches/{number}/pdf/command", params=asked).json()["lines"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flower.png").write_bytes(flower)
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "clipasso"
        # What has no option is the tests' own.
        own = ["--augmentations", "0", "--device", "cpu", "--faces", "none"]
        assert run([*words, *(own if words[0] == "sketch" else [])]) == 0
    assert (tmp_path / "flower-rank2-a5.pdf").read_bytes() == fetched(
        person, number, "pdf", **asked
    ).content
    # And what is made of a sketch: a ladder down from it, and strokes settled around one of them.
    assert person.begin("ladder", sketch=number, levels=[3], width=2.0).is_success
    level = person.wait()["sketches"][-1]["number"]
    assert person.begin("settle", sketch=number, frozen=[1, 2, 4]).is_success
    settled = person.wait()["sketches"][-1]["number"]
    for made, file in [(level, "sketches/flower-3.svg"), (settled, "settled/flower.svg")]:
        lines = person.http.get(f"/api/sketches/{made}/svg/command").json()["lines"]
        own = ["--augmentations", "0", "--device", "cpu"]
        assert run([*shlex.split(lines[-1])[1:], *own]) == 0
        strokes = Sketch.open(file)
        assert strokes == Sketch.from_svg(fetched(person, made).text).with_metadata(
            **strokes.metadata
        )


@pytest.mark.parametrize(
    ("kind", "asked", "name", "starts"),
    [
        ("png", {"size": "300"}, "flower.png", b"\x89PNG"),
        ("pdf", {"paper": "a5"}, "flower-a5.pdf", b"%PDF"),
        ("json", {}, "flower.json", b"{"),
        ("brush-png", {"brush": "charcoal", "size": "200"}, "flower-charcoal.png", b"\x89PNG"),
        ("brush-svg", {"brush": "ink"}, "flower-ink.svg", b"<svg"),
        ("moving-svg", {"seconds": "2"}, "flower-drawn.svg", b"<svg"),
        ("moving-gif", {"seconds": "0.5"}, "flower-drawn.gif", b"GIF89a"),
        ("plot-svg", {"paper": "a5"}, "flower-plot-a5.svg", b"<svg"),
        ("plot-svg", {"pen": "0.2mm", "fill": "yes"}, "flower-plot-a4.svg", b"<svg"),
    ],
)
def test_files_are_what_they_are_called(done, kind, asked, name, starts):
    person, state = done
    answer = fetched(person, state["sketches"][0]["number"], kind, **asked)
    assert answer.content.startswith(starts)
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'


def test_a_sketch_on_paper_has_the_papers_size(done):
    pdfium = pytest.importorskip("pypdfium2")
    person, state = done
    number = state["sketches"][0]["number"]
    page = pdfium.PdfDocument(fetched(person, number, "pdf", paper="a5").content)[0]
    assert page.get_size() == pytest.approx((210 * 72 / 25.4, 148 * 72 / 25.4), abs=0.1)
    plot = fetched(person, number, "plot-svg", paper="a5").text
    assert 'width="210mm" height="148mm"' in plot


def test_a_pen_goes_over_bold_strokes_if_that_is_asked_for(done):
    person, state = done
    number = state["sketches"][0]["number"]
    asked = {"pen": "0.2mm"}, {"pen": "0.2mm", "fill": "yes"}
    once, often = (
        Sketch.from_svg(fetched(person, number, "plot-svg", **some).text).lengths().sum()
        for some in asked
    )
    assert often > 3 * once
    lines = [
        person.http.get(f"/api/sketches/{number}/plot-svg/command", params=some).json()["lines"][-1]
        for some in asked
    ]
    assert ["--fill" in line for line in lines] == [False, True]


@pytest.mark.parametrize(
    ("kind", "asked", "line"),
    [
        ("exe", {}, "exe: must be one of svg, png"),
        ("pdf", {"paper": "b5"}, "--paper b5: must be a6, a5"),
        ("png", {"size": "90000"}, "size 90000: must be from 16 to 4096"),
        ("moving-gif", {"seconds": "600"}, "seconds 600: must be from 0.5 to 20"),
        ("brush-svg", {"brush": "charcoal"}, "charcoal is a texture"),
        ("plot-svg", {"pen": "0.001mm", "fill": "yes"}, "pen 0.001mm: must be from 0.1 to 5 mm"),
        ("plot-svg", {"pen": "mm"}, "--pen mm: must be a length on paper"),
    ],
)
def test_a_file_that_cannot_be_made_is_told_in_a_line(done, kind, asked, line):
    person, state = done
    number = state["sketches"][0]["number"]
    answer = person.http.get(f"/api/sketches/{number}/{kind}", params=asked)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(line)


def test_strokes_that_were_changed_stay_and_the_rest_settles(done):
    person, state = done
    drawn = json.loads(person.http.get(f"/api/sketches/{state['sketches'][0]['number']}").text)
    drawn["strokes"][1]["points"] = [[20, 20], [60, 30], [90, 60], [120, 140]]
    del drawn["strokes"][4]
    edited = person.http.post("/api/sketches", json=drawn).raise_for_status().json()
    assert (edited["kind"], edited["strokes"]) == ("edited", 4)
    person.begin("settle", sketch=edited["number"], frozen=[2], strokes=4).raise_for_status()
    settled = person.wait()["sketches"][-1]
    before, after = strokes_of(person, edited["number"]), strokes_of(person, settled["number"])
    np.testing.assert_allclose(after.points[1], before.points[1], atol=1e-3)
    moved = np.abs(after.points - before.points).max((1, 2))
    assert (moved[[0, 2, 3]] > 1e-3).all()
    lines = person.http.get(f"/api/sketches/{settled['number']}/svg/command").json()["lines"]
    assert "--init sketches/flower-edited.svg --freeze 2" in lines[-1]


def test_a_ladder_goes_down_from_a_sketch(done):
    person, state = done
    number = state["sketches"][0]["number"]
    job = person.begin("ladder", sketch=number, levels=[3, 1]).raise_for_status().json()
    levels = [s for s in person.wait()["sketches"] if s["group"] == job["number"]]
    assert [level["strokes"] for level in levels] == [5, 3, 1]
    refused = person.begin("ladder", sketch=number, levels=[5, 1])
    assert refused.json()["error"] == "levels 5: must be below the sketch's 5"


def test_a_line_drawn_by_hand_becomes_strokes(person):
    line = [[x, 40 + 0.01 * (x - 50) ** 2] for x in range(0, 101, 5)]
    asked = {"line": line, "degree": 3, "segments": 1}
    found = np.array(person.http.post("/api/line", json=asked).json()["strokes"])
    assert found.shape == (1, 4, 2)
    np.testing.assert_allclose(found[0][[0, -1]], [line[0], line[-1]])


def test_a_mask_is_repaired(person, flower):
    person.upload(flower).raise_for_status()
    painted = np.zeros((120, 160), np.uint8)
    painted[20:60, 40:100] = 255
    file = io.BytesIO()
    Image.fromarray(painted).save(file, format="png")
    state = person.http.put("/api/mask", content=file.getvalue()).raise_for_status().json()
    assert state["photo"]["mask"] == {"how": "painted", "source": "painted", "whole": False}
    shown = np.asarray(Image.open(io.BytesIO(person.http.get("/api/mask.png").content)))
    assert ((shown > 127) == (painted > 127)).mean() > 0.98
    none = person.http.post("/api/mask", json={"how": "none"}).raise_for_status().json()
    assert none["photo"]["mask"]["whole"]
    black = io.BytesIO()
    Image.new("L", (160, 120)).save(black, format="png")
    answer = person.http.put("/api/mask", content=black.getvalue())
    assert answer.json()["error"].startswith("the painted mask: marks no object")
    assert person.state()["photo"]["mask"]["how"] == "none"


@pytest.mark.parametrize("how", ["/etc/passwd", "../x.png", "mask.png", "u2net"])
def test_no_file_of_the_machine_can_be_named_as_a_mask(person, flower, how):
    person.upload(flower).raise_for_status()
    answer = person.http.post("/api/mask", json={"how": how})
    assert answer.json()["error"] == f"mask {how}: must be auto or none, or painted"


def test_a_frame_is_left_out_or_kept(person):
    pixels = np.full((160, 200, 3), 0, np.uint8)
    pixels[20:140, 20:180] = 250
    pixels[60:100, 80:120] = (180, 40, 30)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="png")
    photo = person.upload(file.getvalue()).raise_for_status().json()["photo"]
    assert "border" in photo["surround"]
    assert photo["inner"] == pytest.approx([0.1, 0.125, 0.9, 0.875], abs=0.02)
    shown = np.asarray(Image.open(io.BytesIO(person.http.get("/api/mask.png").content)))
    assert not shown[:18].any()
    assert shown[80, 30] == 255
    kept = person.http.post("/api/frame", json={"how": "keep"}).raise_for_status().json()["photo"]
    assert (kept["surround"], kept["inner"]) == ("", None)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "cat.png: is empty; save or download it again"),
        (b"hello", "cat.png: is no readable picture; convert it to PNG or JPEG"),
        (None, "cat.png: is cut short or damaged"),
        (b"0" * 2_000_001, "cat.png: is larger than 2 MB, the most here"),
    ],
)
def test_a_broken_upload_is_told_as_on_the_command_line(make_studio, flower, data, line):
    person = make_studio(upload=2_000_000).visit()
    person.upload(flower).raise_for_status()
    answer = person.upload(flower[: len(flower) // 2] if data is None else data, "cat.png")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(line)
    assert person.state()["photo"]["name"] == "flower.png"  # which is still there
    assert len(list(person.me().folder.iterdir())) == 1


def test_an_upload_that_breaks_off_leaves_nothing(person, flower):
    cookie = "; ".join(f"{name}={value}" for name, value in person.http.cookies.items())
    with socket.create_connection(("127.0.0.1", person.running.port)) as line:
        head = (
            f"PUT /api/photo?name=x.png HTTP/1.1\r\nhost: 127.0.0.1:{person.running.port}\r\n"
            f"cookie: {cookie}\r\ncontent-length: {len(flower)}\r\n\r\n"
        )
        line.sendall(head.encode() + flower[:100])
        time.sleep(0.2)
    time.sleep(0.3)
    assert person.state()["photo"] is None
    assert not list(person.me().folder.iterdir())


def test_one_at_a_time_and_the_others_see_where_they_stand(slow, flower):
    first, second, third = (slow.visit() for _ in range(3))
    for person in (first, second, third):
        person.upload(flower).raise_for_status()
        person.begin().raise_for_status()
    first.wait(lambda job: job["step"] > 0)
    assert [p.state()["job"]["ahead"] for p in (second, third)] == [1, 2]
    assert second.http.delete(f"/api/jobs/{second.state()['job']['number']}").is_success
    assert second.state()["job"]["state"] == "cancelled"
    assert third.state()["job"]["ahead"] == 1
    first.http.delete(f"/api/jobs/{first.state()['job']['number']}").raise_for_status()
    state = first.wait()
    assert (state["job"]["state"], state["job"]["endedEarly"]) == ("done", True)
    assert state["sketches"][0]["loss"] < state["job"]["curve"][0][1][0]  # the best is kept
    third.wait(lambda job: job["state"] == "running")


def test_so_many_wait_and_no_more(make_studio, flower):
    running = make_studio(waiting=1)
    people = [running.visit() for _ in range(3)]
    for person in people:
        person.upload(flower).raise_for_status()
    people[0].begin().raise_for_status()
    people[0].wait(lambda job: job["state"] == "running")
    people[1].begin().raise_for_status()
    refused = people[2].begin()
    assert refused.status_code == 400
    assert (
        refused.json()["error"] == "as many sketches as may are waiting (1); try again in a minute"
    )


def test_a_sketch_takes_no_longer_than_allowed(make_studio, flower):
    person = make_studio(seconds=0.5).visit()
    state = person.sketched(flower)
    assert state["job"]["note"].endswith(
        "ended after 0.5 s, the most here; the best so far is kept"
    )
    assert len(state["sketches"]) == 2


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"strokes": 5000}, "strokes 5000: must be from 1 to 128 in the studio"),
        ({"strokes": "many"}, "strokes 'many': must be a whole number"),
        ({"seeds": 99}, "seeds 99: must be from 1 to 8 in the studio"),
        ({"width": -1.0}, "--width -1.0: must be from 0.1"),
        ({"preset": "best"}, "--preset best: must be one of"),
        ({"oneWidth": "no"}, "oneWidth 'no': must be true or false"),
        ({"kind": "paint"}, "kind paint: must be sketch, settle or ladder"),
    ],
)
def test_wishes_beyond_the_limits_are_refused(person, flower, asked, line):
    person.upload(flower).raise_for_status()
    answer = person.begin(**asked)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(line.replace("-1.0", "-1.0"))


@pytest.mark.parametrize(
    ("asked", "rate"), [({}, None), ({"oneWidth": False}, None), ({"oneWidth": True}, 0.0)]
)
def test_lines_are_of_one_width_if_that_is_asked_for(asked, rate):
    from clipasso.cli.studio.limits import Limits
    from clipasso.cli.studio.wishes import Wish
    from clipasso.cli.studio.work import Recipe

    wish = Wish.of({"strokes": 4, **asked}, "default", Limits())
    assert Recipe.of(wish, {}, None, "auto").settings.width_rate == rate


def test_nobody_sees_what_is_anothers(done, quick):
    person, state = done
    stranger = quick.visit()
    number = state["sketches"][0]["number"]
    assert stranger.http.get(f"/api/sketches/{number}").status_code == 404
    assert stranger.http.get(f"/api/sketches/{number}/svg").status_code == 404
    assert stranger.http.get("/api/photo.jpg").status_code == 404
    assert stranger.http.delete(f"/api/jobs/{state['job']['number']}").status_code == 404
    assert stranger.state()["photo"] is None
    mine, theirs = (next(iter(p.http.cookies.values())) for p in (person, stranger))
    assert mine != theirs
    assert len(mine) >= 43  # 256 bits
    guessing = stranger.http.get("/api/photo.jpg", headers={"cookie": f"x={mine[:-1]}"})
    assert guessing.status_code in (401, 404)


def test_cookies_are_for_no_script_and_no_other_site(quick):
    with httpx.Client(base_url=quick.url) as browser:
        cookie = browser.get("/api/state").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert f"clipasso-studio-{quick.port}=" in cookie


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"host": "evil.example"}, 421),  # a name made to stand for 127.0.0.1
        ("POST", {"origin": "http://evil.example"}, 403),
        ("POST", {"origin": "null"}, 403),
        ("POST", {}, 204),
    ],
)
def test_other_sites_are_kept_out(person, method, headers, status):
    answer = person.http.request(method, "/api/leave" if method == "POST" else "/", headers=headers)
    assert answer.status_code == status


def test_the_page_fetches_nothing_from_elsewhere(person):
    page = person.http.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    names = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert names
    for name in names:
        text = person.http.get(name).raise_for_status().text
        assert not re.search(r"https?://(?!www\.w3\.org/)", text), name


def events_of(person, until, kinds):
    """What the stream of events says, up to something."""
    with person.http.stream("GET", "/api/events") as stream:
        kind = ""
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                kinds.append((kind, json.loads(value)))
                if until(*kinds[-1]):
                    return


def test_the_strokes_are_seen_on_their_way(quick, flower):
    person = quick.visit()
    person.upload(flower).raise_for_status()
    seen = []
    over = threading.Thread(
        target=events_of,
        args=(person, lambda kind, value: kind == "state" and len(value["sketches"]) == 2, seen),
    )
    over.start()
    while not seen:
        time.sleep(0.01)
    person.begin().raise_for_status()
    over.join(60)
    kinds = [kind for kind, _ in seen]
    assert kinds[0] == kinds[-1] == "state"
    previews = [value["sketch"] for kind, value in seen if kind == "preview"]
    assert len(previews) >= 2
    assert previews[0]["strokes"] != previews[-1]["strokes"]
    assert {len(sketch["strokes"]) for sketch in previews} == {5}


def test_whoever_closes_the_page_frees_the_work_and_leaves_nothing(slow, flower, monkeypatch):
    monkeypatch.setattr(visitors, "_BACK_SOON", 0.3)
    person, next_one = slow.visit(), slow.visit()
    for one in (person, next_one):
        one.upload(flower).raise_for_status()
        one.begin().raise_for_status()
    person.wait(lambda job: job["step"] > 0)
    me = person.me()
    person.http.post("/api/leave").raise_for_status()
    next_one.wait(lambda job: job["state"] == "running")
    assert not me.folder.exists()
    assert person.http.get("/api/photo.jpg").status_code == 401


def test_a_connection_that_is_lost_stops_the_work_and_keeps_the_best(make_studio, flower):
    running = make_studio(away=0.3)
    person = running.visit()
    person.upload(flower).raise_for_status()
    person.begin().raise_for_status()
    me = person.me()
    job = me.job  # asking for it over HTTP would be a sign of life
    for _ in range(1500):
        if job.over:
            break
        time.sleep(0.02)
    assert (job.state, job.ended_early) == ("done", True)
    assert len(person.state()["sketches"]) == 2


def test_what_is_left_behind_is_removed(make_studio, flower):
    running = make_studio(idle=0.3)
    person = running.visit()
    person.upload(flower).raise_for_status()
    folder = person.me().folder
    for _ in range(500):
        if not folder.exists():
            break
        time.sleep(0.02)
    assert not folder.exists()
    assert person.state()["new"]


def test_the_studio_has_so_many_visitors_and_no_more(make_studio, flower):
    running = make_studio(visitors=1)
    person = running.visit()
    person.upload(flower).raise_for_status()
    with httpx.Client(base_url=running.url) as other:
        answer = other.get("/api/state")
    assert answer.status_code == 400
    assert answer.json()["error"] == "the studio is full; try again when somebody has left"


def test_nothing_is_left_when_the_studio_closes(make_studio, flower):
    running = make_studio()
    person = running.visit()
    person.upload(flower).raise_for_status()
    person.begin().raise_for_status()
    folder = person.me().folder.parent
    assert folder.exists()
    running.close()
    assert not folder.exists()
