import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest

from core.artifacts import NOISE
from core.charts import theme

CONFIG = tomllib.loads(
    (Path(__file__).parents[3] / ".streamlit" / "config.toml").read_text(encoding="utf-8")
)
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
# What is seen of linear RGB; Machado, Oliveira and Fernandes (2009), full severity.
SIGHT = {
    "full": np.eye(3),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
}


def linear(colour: str) -> np.ndarray:
    part = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def lab(seen: np.ndarray) -> np.ndarray:
    f = np.cbrt(np.clip(TO_XYZ @ np.clip(seen, 0, 1) / [0.95047, 1, 1.08883], 1e-4, None))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(TO_XYZ[1] @ linear(c)) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_dashboard_and_the_figures_have_the_same_ten_colours(mode):
    assert tuple(CONFIG["theme"][mode]["chartCategoricalColors"]) == theme.COLOURS
    assert len(set(theme.COLOURS)) == 10


@pytest.mark.parametrize("sight", SIGHT)
def test_any_two_segment_colours_can_be_told_apart_by_colour_blind_readers(sight):
    seen = [lab(SIGHT[sight] @ linear(colour)) for colour in theme.COLOURS]
    nearest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))
    assert nearest > 12  # CIE 1976 units; about 2.3 are just noticeable


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_segment_colour_shows_on_the_background(mode):
    background = CONFIG["theme"][mode]["backgroundColor"]
    assert min(contrast(colour, background) for colour in theme.COLOURS) >= 1.9


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_text_colour_of_the_theme_meets_wcag_aa(mode):
    colours = CONFIG["theme"][mode]
    pairs = [("textColor", "backgroundColor"), ("textColor", "secondaryBackgroundColor")]
    pairs += [("linkColor", "backgroundColor"), ("codeTextColor", "codeBackgroundColor")]
    pairs += [("dataframeHeaderTextColor", "dataframeHeaderBackgroundColor")]
    for name in ("red", "orange", "yellow", "green", "blue", "violet", "gray"):
        pairs += [
            (f"{name}TextColor", f"{name}BackgroundColor"),
            (f"{name}TextColor", "backgroundColor"),
        ]
    failing = [pair for pair in pairs if contrast(*(colours[part] for part in pair)) < 4.5]
    assert failing == []
    assert contrast(colours["primaryColor"], "#FFFFFF") >= 4.5  # white text on buttons


def test_the_dashboard_asks_nothing_of_other_hosts():
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert "http" not in str(CONFIG)


def test_all_chart_palettes_have_exactly_ten_colours():
    for mode in ("light", "dark"):
        palettes = [
            value for key, value in CONFIG["theme"][mode].items() if key.startswith("chart")
        ]
        assert [len(palette) for palette in palettes] == [10, 10, 10]


def test_noise_is_grey_and_the_eleventh_segment_differs_from_the_first_by_its_mark():
    assert theme.segment_color(NOISE) == theme.NOISE_COLOUR not in theme.COLOURS
    assert theme.segment_color(10) == theme.segment_color(0)
    assert theme.segment_symbol(10) != theme.segment_symbol(0)
    assert theme.segment_symbol(NOISE) == theme.segment_symbol(0)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("shoes", "shoes"),
        ("<b>R&D</b>", "&lt;b&gt;R&amp;D&lt;/b&gt;"),
        ('<a href="http://x">y</a>', '&lt;a href="http://x"&gt;y&lt;/a&gt;'),
        ("%{meta.alt}", "&#37;{meta.alt}"),
        ("$x$", "&#36;x&#36;"),
        ("two\nlines\x00 \u202eend", "two lines end"),
        ("a" * 60, "a" * 47 + "…"),
        (None, "None"),
    ],
)
def test_data_strings_in_figures_are_text_and_nothing_else(raw, shown):
    assert theme.safe(raw) == shown


def test_a_figure_takes_the_colours_of_the_page_it_stands_in():
    layout = theme.figure("Title", "How to read it.", "Told &lt;b&gt;").layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert layout.font.color is None
    assert layout.meta == {"alt": "Told <b>"}
    assert (layout.title.text, layout.title.subtitle.text) == ("Title", "How to read it.")
