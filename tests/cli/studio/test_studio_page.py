"""The studio's page in headless Chromium, used as people would."""

import re
import shutil
from pathlib import Path

import pytest

from clipasso import Sketch

pytest.importorskip("starlette", reason="the extra `ui` is not installed")
pytest.importorskip("uvicorn", reason="the extra `ui` is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not on this machine")

LONG = 60_000  # ms: machines that test are busy


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Pages of a studio, of which nothing may go wrong unseen."""
    opened = []

    def open_one(running, **about):
        context = chromium.new_context(**{"viewport": {"width": 1200, "height": 800}, **about})
        context.set_default_timeout(LONG)
        page = context.new_page()
        faults = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda r: r.url.startswith((running.url, "blob:", "data:"))
                or faults.append(f"asked for {r.url}"))  # fmt: skip
        opened.append((context, faults))
        page.goto(running.url)
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_one
    for context, faults in opened:
        context.close()
        assert not faults


def choose(page, path):
    page.set_input_files("#file", path)
    page.wait_for_selector("#studio:not([hidden])")


def sketched(page, path):
    choose(page, path)
    begin(page)


def begin(page):
    page.get_by_role("button", name="Sketch", exact=True).last.click()
    page.wait_for_selector("#sketch-tools:not([hidden])")
    page.wait_for_selector("#thumbs > li:nth-child(2)", state="attached")


def drawn(page):
    return page.eval_on_selector_all(
        "stroke-editor .ink", "all => all.map(p => p.getAttribute('d'))"
    )


def downloaded(page, kind, folder, **chosen):
    page.select_option("#kind", kind)
    for field, value in chosen.items():
        page.select_option(f"#{field}", value)
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download", exact=True).click()
    path = Path(folder) / coming.value.suggested_filename
    coming.value.save_as(path)
    return path


def test_from_photo_to_paper(quick, open_page, photo_path, tmp_path):
    page = open_page(quick)
    choose(page, photo_path)
    page.get_by_label("the same for all lines").check()
    with page.expect_request("**/api/jobs") as asked:
        begin(page)
    assert asked.value.post_data_json["oneWidth"] is True
    assert len(drawn(page)) == 5
    pdf = downloaded(page, "pdf", tmp_path, paper="a5")
    assert pdf.name == "flower-a5.pdf"
    assert pdf.read_bytes().startswith(b"%PDF")
    page.click("#command summary")
    page.wait_for_function(
        "() => document.getElementById('lines').textContent.includes('--paper a5')"
    )
    assert not page.get_by_label("Pen, mm wide").is_visible()
    page.select_option("#kind", "plot-svg")
    page.get_by_label("Pen, mm wide").fill("0.3")
    page.get_by_label("Pen, mm wide").press("Tab")
    page.wait_for_function(
        "() => document.getElementById('lines').textContent.includes('--pen 0.3mm --fill')"
    )
    assert downloaded(page, "plot-svg", tmp_path).name == "flower-plot-a5.svg"

    # A stroke is dragged, another deleted, a line drawn, and all of it undone and done again.
    page.get_by_role("button", name="Edit strokes").click()
    before = drawn(page)
    page.get_by_role("button", name=re.compile("^Stroke 1 of 5")).focus()
    page.keyboard.press("Shift+ArrowRight")
    moved = drawn(page)
    assert moved[0] != before[0]
    assert moved[1:] == before[1:]
    page.keyboard.press("Control+z")
    assert drawn(page) == before
    page.keyboard.press("Control+Shift+z")
    assert drawn(page) == moved
    page.keyboard.press("Tab")  # what follows the strokes in the order of tabs is found by name
    point = page.get_by_role("button", name=re.compile("^Point 2 of 4"))
    box = point.locator(".knob").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 25, steps=4)
    page.mouse.up()
    dragged = drawn(page)
    assert dragged != moved
    sheet = page.locator("#sheet").bounding_box()
    page.get_by_role("button", name="Draw a line").click()
    page.mouse.move(sheet["x"] + 60, sheet["y"] + 60)
    page.mouse.down()
    page.mouse.move(sheet["x"] + 260, sheet["y"] + 90, steps=8)
    page.mouse.up()
    page.wait_for_function("() => document.querySelectorAll('stroke-editor .ink').length === 6")
    page.get_by_role("button", name="Draw a line").click()
    page.get_by_role("button", name=re.compile("^Stroke 3 of 6")).focus()
    page.keyboard.press("Delete")
    assert len(drawn(page)) == 5
    page.get_by_role("button", name="Draw a line").focus()
    page.keyboard.press("Enter")  # by keyboard it lays a stroke, which has the focus
    laid = drawn(page)
    page.keyboard.press("ArrowUp")
    assert drawn(page)[:5] == laid[:5]
    assert drawn(page)[5] != laid[5]
    page.keyboard.press("Delete")
    assert len(drawn(page)) == 5

    svg = downloaded(page, "svg", tmp_path)
    sketch = Sketch.open(svg)
    assert svg.name == "flower-edited.svg"
    assert len(sketch) == 5
    page.get_by_role("button", name="Settle the rest around it").click()
    page.wait_for_selector("#thumbs button:has-text('Settled')", state="attached")
    page.wait_for_selector("#sketch-tools:not([hidden])")
    settled = Sketch.open(downloaded(page, "svg", tmp_path))
    assert abs(settled.points[0] - sketch.points[0]).max() < 2e-3  # it was changed, so it stayed
    assert not page.is_visible("#problem")


def test_the_strokes_move_and_the_best_is_kept_when_it_is_stopped(slow, open_page, photo_path):
    page, other = open_page(slow), open_page(slow)
    choose(page, photo_path)
    page.click("#start")
    page.wait_for_selector("loss-curve .best")
    first = drawn(page)
    page.wait_for_function(
        "was => [...document.querySelectorAll('stroke-editor .ink')].some("
        "(p, k) => p.getAttribute('d') !== was[k])",
        arg=first,
    )
    assert re.match(r"step \d+ of 100000", page.inner_text("#run-words"))

    # Somebody else waits, and sees nothing of it.
    choose(other, photo_path)
    other.click("#start")
    other.wait_for_function(
        "() => document.getElementById('run-words').textContent.includes('before')"
    )
    assert other.inner_text("#queue") == "next in the queue"
    assert not drawn(other)
    other.get_by_role("button", name="Leave the queue").click()
    other.wait_for_selector("#start:not([hidden])")

    page.get_by_role("button", name="Stop and keep the best").click()
    page.wait_for_selector("#sketch-tools:not([hidden])")
    assert page.locator("#thumbs > li").count() == 2
    assert other.locator("#thumbs > li").count() == 0


def test_a_photo_from_a_phone_on_a_phone(quick, open_page, phone_photo):
    page = open_page(
        quick, viewport={"width": 375, "height": 740}, is_mobile=True, has_touch=True,
        color_scheme="dark",
    )  # fmt: skip
    assert page.is_visible("#photograph")
    sketched(page, phone_photo)
    sheet = page.locator("#sheet").bounding_box()
    assert sheet["height"] / sheet["width"] == pytest.approx(4 / 3, abs=0.01)  # upright
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(25, 24, 22)"
    for button in page.locator("button:visible").all():
        assert button.bounding_box()["height"] >= 40


def test_a_mask_is_repaired_by_keyboard_alone(quick, open_page, photo_path):
    page = open_page(quick)
    choose(page, photo_path)
    before = page.inner_text("#photo-words")
    page.get_by_role("button", name="Repair the mask").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Box").focus()
    page.keyboard.press("Enter")  # and the mask has the focus
    page.keyboard.press("Space")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Use this mask").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "was => document.getElementById('photo-words').textContent !== was", arg=before
    )
    assert page.inner_text("#photo-words").endswith("The mask is the one you painted.")


def test_every_control_has_a_name(quick, open_page, photo_path):
    page = open_page(quick)
    sketched(page, photo_path)
    page.click("#edit")
    page.wait_for_selector("#edit-tools:not([hidden])")
    nameless = page.eval_on_selector_all(
        "button, input, select, textarea, img, [role=button]",
        """all => all.filter(one => {
          const label = one.getAttribute("aria-label") || one.getAttribute("alt") ||
            [...(one.labels || [])].map(l => l.textContent).join("") ||
            (one.matches("button, [role=button]") ? one.textContent : "");
          return !label.trim() && !one.closest("[hidden]");
        }).map(one => one.outerHTML.slice(0, 90))""",
    )
    assert nameless == []


@pytest.mark.parametrize(("kind", "holder"), [("drop", "dataTransfer"), ("paste", "clipboardData")])
def test_a_photo_is_dropped_or_pasted(quick, open_page, photo_path, kind, holder):
    page = open_page(quick)
    page.evaluate(
        """([kind, holder, bytes]) => {
          const file = new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" });
          const transfer = new DataTransfer();
          transfer.items.add(file);
          const event = new Event(kind, { bubbles: true, cancelable: true });
          Object.defineProperty(event, holder, { value: transfer });
          document.body.dispatchEvent(event);
        }""",
        [kind, holder, list(photo_path.read_bytes())],
    )
    page.wait_for_selector("#studio:not([hidden])")
    assert page.inner_text("#photo-words").startswith("dropped.png. ")


def test_a_broken_photo_is_told_in_a_line(quick, open_page, tmp_path):
    broken = tmp_path / "cat.png"
    broken.write_bytes(b"no picture")
    page = open_page(quick)
    page.set_input_files("#file", broken)
    page.wait_for_selector("#problem:not([hidden])")
    line = page.inner_text("#problem-line")
    assert line.startswith("cat.png: is no readable picture; convert it to PNG or JPEG")
    assert page.is_visible("#welcome")
