from dataclasses import dataclass
from typing import Literal

from streamlit.testing.v1 import AppTest

from core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class Sample(Options):
    duplicates: bool = option(True, "Drop duplicates", "Exact repeats")
    fill: Literal["drop", "mean"] = option("drop", "Missing values", "What to do")
    method: Literal["forward_fill", "backward_fill", "per_user_median"] = option(
        "forward_fill", "Way", "How to fill"
    )
    last_n: int = option(50, "Last events", "How many", low=1, high=1000, unit="events")
    k: int | Literal["auto"] = option("auto", "Number of segments", "How many", low=2, high=20)
    ceiling: float | None = option(None, "Highest price", "Above is dropped", low=0)
    words: tuple[str, ...] = option(("a", "b"), "Words", "Which")
    name: str = option("x", "Name", "Of it")
    rate: float = option(0.01, "Rate", "How fast", low=0.0001, high=1.0, expert=True)


def page():
    import streamlit as st

    from tests.pages.test_controls import Sample
    from ui import controls

    current = st.session_state.setdefault("current", Sample())
    if st.button("Suggest"):
        current = st.session_state.current = Sample(last_n=7, k=3, fill="mean")
    look = controls.Look(columns=2)
    drawn = controls.draw(Sample, current, key="o", skip=("name",), look=look)
    st.session_state.current = drawn
    st.session_state.drawn = drawn.to_dict()


def drawn(at):
    assert not at.exception
    return at.session_state["drawn"]


def test_untouched_widgets_give_the_options_back():
    at = AppTest.from_function(page).run()
    assert drawn(at) == Sample().to_dict()


def test_every_kind_of_option_takes_what_the_analyst_sets():
    at = AppTest.from_function(page).run()
    at.toggle(key="o-duplicates").set_value(False)
    at.get_by_key("o-fill").set_value("mean")
    at.selectbox(key="o-method").set_value("backward_fill")
    at.number_input(key="o-last_n").set_value(9)
    at.number_input(key="o-k").set_value(6)
    at.number_input(key="o-ceiling").set_value(99.5)
    at.text_input(key="o-words").set_value(" c , d,")
    at.number_input(key="o-rate").set_value(0.5)
    assert drawn(at.run()) == {
        "duplicates": False,
        "fill": "mean",
        "method": "backward_fill",
        "last_n": 9,
        "k": 6,
        "ceiling": 99.5,
        "words": ["c", "d"],
        "name": "x",
        "rate": 0.5,
    }


def test_an_emptied_number_is_automatic_or_none():
    at = AppTest.from_function(page).run()
    at.number_input(key="o-k").set_value(6).run()
    at.number_input(key="o-k").set_value(None).run()
    assert drawn(at)["k"] == "auto"
    assert at.number_input(key="o-k").proto.placeholder == "Automatic"


def forgetful_page():
    import streamlit as st

    from tests.pages.test_controls import Sample
    from ui import controls

    st.session_state.drawn = controls.draw(Sample, Sample(), key="o").to_dict()


def test_what_was_set_stays_while_the_page_keeps_nothing_of_it():
    at = AppTest.from_function(forgetful_page).run()
    at.number_input(key="o-last_n").set_value(9).run()
    at.number_input(key="o-k").set_value(6).run()
    at.run()
    assert (drawn(at)["last_n"], drawn(at)["k"]) == (9, 6)


def test_options_changed_elsewhere_fill_the_widgets_again():
    at = AppTest.from_function(page).run()
    at.number_input(key="o-last_n").set_value(9).run()
    at.button[0].click().run()
    assert (drawn(at)["last_n"], drawn(at)["k"], drawn(at)["fill"]) == (7, 3, "mean")
    assert at.number_input(key="o-last_n").value == 7


def test_labels_bounds_and_units_stand_at_the_widget():
    at = AppTest.from_function(page).run()
    box = at.number_input(key="o-last_n")
    assert (box.label, box.min, box.max) == ("Last events (events)", 1, 1000)
    assert "from 1 to 1000" in box.help


def test_expert_options_stand_behind_a_door_and_skipped_ones_nowhere():
    at = AppTest.from_function(page).run()
    door = at.expander(key="o-expert")
    assert [box.key for box in door.number_input] == ["o-rate"]
    assert not any(box.key == "o-name" for box in at.text_input)


def named():
    import streamlit as st

    from tests.pages.test_controls import Sample
    from ui import controls

    words = {"words": {"a": "Apple", "c": "Cherry", "d": "Date"}}
    look = controls.Look(door=False, words=words)
    st.session_state.drawn = controls.draw(Sample, Sample(), key="o", look=look).to_dict()


def test_names_out_of_a_catalogue_are_picked_by_what_they_are_called():
    at = AppTest.from_function(named).run()
    assert at.multiselect[0].options == ["Apple", "Cherry", "Date"]
    assert drawn(at)["words"] == ["a"]  # "b" is not in the catalogue any more
    at.multiselect[0].set_value(["d", "a"])
    assert drawn(at.run())["words"] == ["d", "a"]


def test_a_page_that_has_a_door_around_all_shows_expert_options_without_another():
    at = AppTest.from_function(named).run()
    assert not at.expander
    assert at.number_input(key="o-rate").value == 0.01
