"""The Segments page: who they are, and what the analyst calls them."""

from core.workspace import open_workspace
from ui import drafts


def name_box(at):
    return next(box for box in at.text_input if box.label == "Name of the segment")


def keep(at, name):
    name_box(at).set_value(name)
    next(button for button in at.button if button.label == "Keep this name").click().run()
    assert not at.exception
    return at


def test_a_segment_is_shown_in_figures_facts_and_stories(ready):
    at = ready("segments")
    labels = [metric.label for metric in at.metric]
    assert {"Users", "Share of events", "Spend"} <= set(labels)
    sizes = []
    for segment in range(3):
        at.get_by_key("segment-shown").set_value(segment).run()
        assert not at.exception
        sizes.append(int(at.metric[0].value))
        assert any("effect" in text.value for text in at.markdown)
        assert sum("→" in text.value for text in at.markdown) >= 1
    assert sum(sizes) == 100
    assert sizes == sorted(sizes, reverse=True)


def test_categories_that_are_met_less_often_are_not_called_typical(ready):
    at = ready("segments")
    for found in at.dataframe:
        assert (found.value["Lift"] >= 0.99).all()


def test_a_name_of_ones_own_is_shown_and_noted(ready):
    at = keep(ready("segments"), "Owls *of* the night")
    assert at.subheader[0].value == "Owls \\*of\\* the night"
    dataset = open_workspace().datasets()[0]
    noted = drafts.read(open_workspace().root / "drafts" / f"{dataset.id}.json").names
    assert list(noted.values()) == [{0: "Owls *of* the night"}]
    assert ready_again(at, "recommend").get_by_key("segment-shown").options[0].startswith("Owls")


def ready_again(at, page):
    at.switch_page(f"../pages/{page}.py").run()
    assert not at.exception
    return at


def test_an_empty_name_is_refused_and_the_old_one_kept(ready):
    at = ready("segments")
    before = at.subheader[0].value
    keep(at, "   ")
    assert at.error
    assert at.subheader[0].value == before


def test_a_name_that_another_segment_has_is_refused(ready):
    at = ready("segments")
    other = at.get_by_key("segment-shown").options[1].replace("\\", "")
    keep(at, other)
    assert at.error
