"""Smaller models, drawn side by side."""

from core.charts.smaller import Model, models
from core.charts.theme import COLOURS, NOISE_COLOUR


def drawn():
    made = (("Original", 250.0, 90.0, 1.0), ("Half <b>as</b> wide", 137.0, 180.0, 0.96))
    return models(
        [Model(name=n, kilobytes=k, events_per_second=e, kept=s) for n, k, e, s in made],
        "Users in the same segment",
    )


def test_every_model_has_its_size_its_speed_and_what_it_keeps():
    size, speed, kept = drawn().data
    assert (size.x, speed.x, kept.x) == ((250.0, 137.0), (90.0, 180.0), (1.0, 0.96))
    assert {bars.marker.color for bars in (size, speed, kept)} == {(NOISE_COLOUR, COLOURS[0])}


def test_the_figure_explains_itself_and_no_name_is_markup():
    layout = drawn().layout
    assert len(layout.title.text) <= 48 and layout.title.subtitle.text.endswith(".")
    assert layout.meta["alt"].startswith("Bars of file size, speed and Users in the same segment")
    assert "137 kB, 96.0%" in layout.meta["alt"]
    assert layout.yaxis.ticktext == ("Original", "Half &lt;b&gt;as&lt;/b&gt; wide")
    titles = (layout.xaxis.title.text, layout.xaxis2.title.text, layout.xaxis3.title.text)
    assert titles == ("File (kB)", "Events placed per second", "Users in the same segment")
    assert layout.xaxis.range[0] == layout.xaxis3.range[0] == 0
