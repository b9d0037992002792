import json
import re
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from core.artifacts import NOISE, Gate
from core.errors import OptionRefused
from core.report.html import report_html
from tests.core import artifacts_by_hand as made

REPORT = report_html(made.report_view())


class Page(HTMLParser):
    """Tags with their attributes, visible text, and what stands in script elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.scripts, self._inside = "", [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag if tag in ("script", "style") else self._inside
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts[-1] += data
        elif not self._inside:
            self.text += f"{data} "

    @property
    def words(self) -> str:
        return " ".join(self.text.split())

    def figures(self) -> dict[str, Any]:
        places = [a for tag, a in self.tags if tag == "script"]
        pairs = zip(places, self.scripts, strict=True)
        return {a["id"]: json.loads(s) for a, s in pairs if a.get("type") == "application/json"}


PAGE = Page(REPORT)


def poisoned(value: Any) -> Any:
    """The same artifact with a hostile string wherever a text out of the data may stand."""
    known = {"name", "kind", "method", "rule", "effect", "severity", "verdict_code"}
    if is_dataclass(value) and not isinstance(value, type):
        texts = {
            f.name: made.HOSTILE
            for f in fields(value)
            if isinstance(getattr(value, f.name), str)
            and (f.name not in known or type(value).__name__ in ("Segment", "Lift"))
        }
        others = {
            f.name: poisoned(getattr(value, f.name))
            for f in fields(value)
            if isinstance(getattr(value, f.name), tuple) or is_dataclass(getattr(value, f.name))
        }
        if type(value).__name__ == "Segment":
            texts["name"] += f" {value.id}"  # two segments never have one name
        return replace(value, **texts, **others)
    if isinstance(value, tuple):
        return tuple(made.HOSTILE if isinstance(v, str) else poisoned(v) for v in value)
    return value


def test_the_verdict_comes_first_then_the_segments_then_trust_then_the_making():
    order = ["Verdict", "Three segments; they agree", "1,200", "The map", "What to try"]
    order += ["Conditions a segmentation must meet", "Against what is known", "Cleaning"]
    main = PAGE.words[PAGE.words.index("Segments of shop_events.csv", 40) :]
    places = [main.index(words) for words in order]
    assert places == sorted(places)


def test_every_chapter_tells_facts_lifts_items_and_actions():
    for words in (
        "“search” is 31% of their events, 12% elsewhere.",
        "22% 3.1 ×",
        "Trail shoe 42",
        "Write to them in the evening",
        "evening share: 0.62",
        "exact repeat dropped 1,010 640",
        "Adjusted Rand index (ARI) 0.710 0.690 0.000 higher",
        "Undefined for one segment.",
        "clean.duplicates drop",
        "numpy 2.4.6",
    ):
        assert words in PAGE.words, words


def test_the_charts_are_those_of_this_run():
    figures = PAGE.figures()
    assert set(figures) == {
        f"chart-{name}-data"
        for name in (
            *("sizes", "profile", "map", "silhouettes", "confusion", "losses", "elbow"),
            *("silhouette-by-k", "loss-trace", "moves-0", "moves-1", "moves-2", "moves-none"),
        )
    }
    drawn = {a["id"]: a["aria-label"] for _, a in PAGE.tags if a.get("class") == "chart"}
    assert {f"{name}-data" for name in drawn} == set(figures)
    assert "52%" in drawn["chart-sizes"]
    assert figures["chart-sizes-data"]["data"][0]["x"] == [620, 410, 150, 20]


def test_nothing_is_asked_of_any_network():
    for tag, attributes in PAGE.tags:
        assert tag not in ("link", "iframe", "img", "object", "embed", "base", "form")
        assert not attributes.get("src")
        assert (attributes.get("href") or "#").startswith("#")
    own = REPORT.replace(get_plotlyjs(), "")
    assert not re.search(r"https?:|//[a-z]+\.|url\(|@import|fetch\(|XMLHttpRequest", own)
    policy = next(a["content"] for tag, a in PAGE.tags if a.get("http-equiv"))
    assert policy is not None and policy.startswith("default-src 'none'")
    assert "http" not in policy


def test_no_user_id_is_in_the_report():
    assert "secret-" in made.segments().segments[0].stories[0].user_id
    assert "secret-" not in REPORT


def test_the_last_events_of_a_single_user_are_nobody_elses_to_read():
    steps = ("met once", "and bought")
    story = made.segments().segments[0].stories[0]
    told = replace(made.segment(0), stories=(replace(story, steps=steps),))
    page = report_html(
        made.report_view(segments=replace(made.segments(), segments=(told, made.segment(1))))
    )
    assert not any(step in page for step in steps)


def test_no_text_of_the_data_can_leave_its_place_in_the_page():
    clean = made.report_view()
    parts = ("cleaning", "k_curve", "labels", "projection", "evaluation", "segments")
    names = {"title": made.HOSTILE, "versions": {made.HOSTILE: made.HOSTILE}}
    poison = {name: poisoned(getattr(clean, name)) for name in (*parts, "recommendations")}
    page = Page(report_html(replace(clean, **poison, **names)))
    assert [tag for tag, _ in page.tags].count("script") == [t for t, _ in PAGE.tags].count(
        "script"
    )
    assert page.text.count(made.HOSTILE) > 60
    for figure in page.figures().values():
        assert made.HOSTILE not in json.dumps(figure["data"])


def test_scripts_of_figures_hold_no_sign_that_could_end_them():
    bodies = [s for s in PAGE.scripts if s.startswith('{"data"')]
    assert len(bodies) == 13
    assert all(not set(body) & {"<", ">", "&", "\u2028"} for body in bodies)
    assert any("\\u0026lt;/script" in body for body in bodies)


def test_counts_of_few_people_are_not_told():
    assert "=HYPERLINK(1) <5 1.7 ×" in PAGE.words
    assert "@SUM(1+9)*cmd|' /C calc'!A0 shoes <5" in PAGE.words
    assert "3 of them met it" not in REPORT
    assert "impossible price changed <5 <5" in PAGE.words
    assert "<5 were left out" in PAGE.words
    assert "and 37 are not in the cleaned log" in PAGE.words
    assert "The smallest segment has fewer than 5 users; 50 are needed." in PAGE.words
    assert "has 3 users" not in REPORT
    assert PAGE.figures()["chart-confusion-data"]["data"][0]["customdata"][2][3] == "<5"


def test_a_verdict_that_quotes_a_count_of_few_people_is_reworded():
    gate = made.evaluation().gates[1]
    said = replace(made.evaluation(), verdict=f"To be mended: {gate.text}")
    assert "has 3 users" not in report_html(made.report_view(evaluation=said))


def test_of_a_small_segment_only_the_name_is_told_and_other_sizes_are_rounded():
    small = made.segment(2, size=4, facts=made.facts()[:1])
    others = (made.segment(0, size=621), made.segment(1, size=408))
    page = Page(
        report_html(made.report_view(segments=replace(made.segments(), segments=(*others, small))))
    )
    assert "Deal hunters <5" in page.words
    assert "Evening comparers 620" in page.words and "Quick errand runners 410" in page.words
    assert "Fewer than 5 users: nothing more is told of them." in page.words
    assert "rounded to multiples of 5" in page.words
    figures = page.figures()
    assert "chart-moves-2-data" not in figures
    assert "Deal hunters" not in [layer["name"] for layer in figures["chart-map-data"]["data"]]
    assert len(figures["chart-silhouettes-data"]["data"]) == 2


def test_the_points_of_the_map_say_nothing_of_whose_they_are():
    for layer in PAGE.figures()["chart-map-data"]["data"]:
        assert "customdata" not in layer
        assert set(layer["text"]) == {layer["name"]}


def test_an_action_that_few_people_are_behind_keeps_its_numbers_to_itself():
    few = replace(
        made.recommendations().actions[0], text="3 users did.", evidence={"users concerned": 3.0}
    )
    told = report_html(
        made.report_view(recommendations=replace(made.recommendations(), actions=(few,)))
    )
    assert "3 users did" not in told
    assert "users concerned" not in told
    assert few.title in told


@pytest.mark.parametrize("limit", [1, 50])
def test_the_smallest_count_is_a_setting(limit):
    told = Page(report_html(made.report_view(journey_options={"report": {"min_cell": limit}})))
    assert (f"No segment <{limit}" in told.words) == (limit > 20)


def test_an_unknown_report_setting_is_refused():
    with pytest.raises(OptionRefused, match=r"report\.min_cel'.*Did you mean 'min_cell'"):
        report_html(made.report_view(journey_options={"report": {"min_cel": 3}}))


def test_one_segment_without_labels_curve_training_or_names_is_a_report_too():
    everyone = made.segment(0, size=1200, facts=(), categories=(), items=(), stories=())
    gates = (Gate(name="size", passed=True, value=1200, threshold=50, text="Fine."),)
    view = made.report_view(
        k_curve=None,
        embeddings=replace(made.embeddings(), history=()),
        labels=replace(made.labels(), values=made.labels().values * 0, n_clusters=1, loss_trace=()),
        evaluation=replace(
            made.evaluation(),
            k=1,
            external=None,
            gates=gates,
            per_segment_silhouette=(float("nan"),),
            silhouette_sample=((),),
        ),
        segments=replace(made.segments(), segments=(everyone,)),
        recommendations=replace(made.recommendations(), items=(), actions=(), note="No items."),
        cleaning=replace(made.cleaning(), steps=()),
    )
    page = Page(report_html(view))
    assert set(page.figures()) == {
        "chart-sizes-data", "chart-profile-data", "chart-map-data", "chart-moves-0-data"
    }  # fmt: skip
    for words in (
        "no known labels",
        "No row had to be touched",
        "Nothing beyond small",
        "No items.",
    ):
        assert words in page.words


def test_noise_has_a_chapter_of_its_own():
    ids = [a["id"] for tag, a in PAGE.tags if tag == "h2"]
    assert f"segment-{NOISE}" in ids


def test_a_share_that_stands_for_few_buyers_is_not_told():
    item = replace(made.recommendations().items[0], owned_share=3 / 620)
    found = replace(made.recommendations(), items=(item,))
    page = Page(report_html(made.report_view(recommendations=found)))
    assert f"1 {made.HOSTILE} shoes 230 2.4 × <5 users " in page.words
    assert "230 of them met it" in PAGE.words and "230 of them met it" not in page.words
