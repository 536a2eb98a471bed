"""Settings are told once: their ranges, their help and their options."""

import re
from dataclasses import fields

import pytest

from clipasso import ClipassoError, Settings
from clipasso.cli import run
from clipasso.settings import PANELS, PRESETS, about, make_settings


def options_of(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    assert run([command, "--help"]) == 0
    return capsys.readouterr().out


def test_every_setting_with_a_panel_is_an_option_of_sketch(capsys, monkeypatch):
    shown = options_of("sketch", capsys, monkeypatch)
    for name, (_, told) in about().items():
        option = f"--{name.replace('_', '-')}"
        listed = re.search(rf"^. {option}\s.*", shown, re.MULTILINE)
        assert bool(listed) == bool(told.panel), option
        if listed:
            assert told.help.removesuffix(".") in listed.group(), option
            assert PANELS[told.panel] in shown
    assert "(400; paper: 2000)" in shown


@pytest.mark.parametrize(
    ("strokes", "segments"),
    [(1, 8), (4, 8), (5, 6), (8, 4), (11, 3), (16, 2), (21, 2), (22, 1), (64, 1)],
)
def test_few_strokes_are_chains(strokes, segments):
    settings = Settings(strokes=strokes)
    assert settings.segments_each == settings.as_dict()["segments"] == segments
    assert settings.points_per_stroke == 3 * segments + 1
    assert Settings(strokes=strokes, segments=3).segments_each == 3
    assert Settings(strokes=strokes, control_points=2).segments_each == 1  # straight stays straight
    assert make_settings("paper", strokes=strokes)[0].segments_each == 1


def test_draw_has_its_own_defaults(capsys, monkeypatch):
    shown = options_of("draw", capsys, monkeypatch)
    assert re.search(r"--strokes .*\(256\)", shown)
    for name, (_, told) in about().items():
        assert (f"--{name.replace('_', '-')} " in shown) == told.draw or name == "text", name


def test_an_option_reaches_its_setting(photo_path, tmp_path, monkeypatch):
    """With every setting at another value than the default's."""
    values = {
        "strokes": 5, "control_points": 3, "segments": 2, "width": 1.5, "width_rate": 0.3,
        "width_span": 4.0, "opacity_rate": 0.02, "color_rate": 0.03, "loss": "geometric",
        "layers": "3:1",
        "semantic_weight": 0.7, "distance": "l1", "text": "a cat", "text_weight": 0.3, "seeds": 2,
        "seed": 9, "iterations": 7, "learning_rate": 2.0, "augmentations": 3, "precision": "fp32",
        "saliency": "gradcam", "edges": "none", "temperature": 0.4, "start": "walk",
        "background_weight": 2.0, "lighten": 0.25, "contrast": 3.0, "zoom": "none",
        "frame": "keep",
        "faces": "none", "order": "none", "prefixes": True, "fidelity": 0.6,
    }  # fmt: skip
    assert set(values) == {name for name, (_, told) in about().items() if told.panel}
    given = []

    def stop_here(settings, *arguments):
        given.append(settings)
        raise ClipassoError("far enough")

    monkeypatch.setattr("clipasso.pipeline.models.load_models", stop_here)
    options = [
        part for k, v in values.items()
        for part in (f"--{k.replace('_', '-')}", *([] if v is True else [str(v)]))
    ]  # fmt: skip
    assert run(["sketch", str(photo_path), "-o", str(tmp_path / "out"), *options]) == 2
    assert {name: getattr(given[0], name) for name in values} == values
    assert all(values[name] != getattr(Settings(), name) for name in values)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("strokes", 0, "--strokes 0: must be from 1 to 10000"),
        ("strokes", 2.5, "must be a whole number"),
        ("strokes", True, "must be a whole number"),
        ("width", "wide", "must be a number"),
        ("width", float("nan"), "must be from 0.1 to 100"),
        ("seed", -1, "must be at least 0"),
        ("lighten", 1.0, "--lighten 1.0: must be from 0.0 to 0.95"),
        ("zoom", "far", "--zoom far: must be auto or none"),
        ("distance", "far", "--distance far: must be l2 or l1 or cosine"),
        ("layers", 3, "must be a text"),
        ("drop", 1, "must be true or false"),
        ("evaluate_every", 0, "--evaluate-every 0: must be at least 1"),
    ],
)
def test_bad_values_are_named(name, value, message):
    with pytest.raises(ClipassoError, match=re.escape(message)):
        Settings(**{name: value})


@pytest.mark.parametrize(
    ("chosen", "strokes", "fidelity"),
    [
        ({}, 16, None),
        ({"strokes": "7"}, 7, None),
        ({"strokes": "auto"}, 32, 0.8),
        ({"strokes": "auto", "fidelity": "draft"}, 32, 0.7),
        ({"fidelity": "0.55"}, 32, 0.55),
        ({"strokes": 24, "fidelity": "fine"}, 24, 0.9),
    ],
)
def test_as_many_strokes_as_needed(chosen, strokes, fidelity):
    made, _ = make_settings("default", **chosen)
    assert (made.strokes, made.fidelity) == (strokes, fidelity)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"strokes": "many"}, "--strokes many: must be auto or a whole number"),
        ({"fidelity": "rough"}, "--fidelity rough: must be draft, normal, fine or a number"),
        ({"fidelity": "1.5"}, "--fidelity 1.5: must be from 0.0 to 1.0"),
        ({"prefixes": True, "augmentations": 0}, "--prefixes: "),
    ],
)
def test_what_does_not_go_together(chosen, message):
    with pytest.raises(ClipassoError, match=re.escape(message)):
        make_settings("default", **chosen)


def test_settings_describe_themselves():
    for field in fields(Settings):
        assert f"\n    {field.name}: " in Settings.__doc__
    assert Settings(lighten=None, distance=None).lighten is None


@pytest.mark.parametrize("preset", list(PRESETS))
def test_presets_are_valid(preset):
    settings, encoder = make_settings(preset)
    assert isinstance(settings, Settings)
    assert encoder == PRESETS[preset].get("encoder", "auto")
