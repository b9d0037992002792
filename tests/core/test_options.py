from dataclasses import dataclass
from typing import Literal

import pytest

from core.errors import OptionRefused
from core.options import Options, describe, json_schema, option, parse_text


@dataclass(frozen=True, kw_only=True)
class Soup(Options):
    n_bowls: int | Literal["auto"] = option("auto", "Bowls", "how many", low=1, high=9)
    heat: float = option(60.0, "Heat", "how hot", low=0.0, high=100.0, unit="°C")
    limit: float | None = option(None, "Limit", "at most", low=0.0)
    kind: Literal["pea", "leek"] = option("pea", "Kind", "which")
    hot: bool = option(True, "Hot", "or cold")
    extras: tuple[str, ...] = option((), "Extras", "on top")


def test_values_inside_their_bounds_are_kept():
    soup = Soup(n_bowls=9, heat=0, kind="leek", extras=("salt",))
    assert (soup.n_bowls, soup.heat, soup.kind, soup.extras) == (9, 0.0, "leek", ("salt",))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"n_bowls": 10}, "n_bowls is 10. Allowed: a whole number from 1 to 9, or auto."),
        ({"n_bowls": 2.5}, "n_bowls is 2.5. Allowed: a whole number from 1 to 9, or auto."),
        ({"n_bowls": True}, "n_bowls is True."),
        ({"heat": float("nan")}, "heat is nan. Allowed: a number from 0 to 100 °C."),
        ({"kind": "leak"}, "kind is 'leak'. Allowed: pea or leek. Did you mean 'leek'?"),
        ({"extras": (1,)}, "extras is (1,). Allowed: words separated by commas."),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(values, told):
    with pytest.raises(OptionRefused) as refused:
        Soup(**values)
    assert told in str(refused.value)


def test_an_unknown_option_names_the_near_miss():
    with pytest.raises(OptionRefused, match=r"Unknown option 'soup\.heet'.*Did you mean 'heat'\?"):
        Soup.from_dict({"heet": 3}, where="soup")


def test_plain_values_come_back_the_same():
    soup = Soup(n_bowls=3, limit=2.0, extras=("salt", "oil"))
    assert Soup.from_dict(soup.to_dict(), where="soup") == soup
    assert soup.to_dict()["extras"] == ["salt", "oil"]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("n_bowls", "auto", "auto"),
        ("n_bowls", "4", 4),
        ("heat", "7", 7.0),
        ("limit", "none", None),
        ("limit", "2.5", 2.5),
        ("hot", "false", False),
        ("extras", "salt,oil", ("salt", "oil")),
        ("kind", "leek", "leek"),
    ],
)
def test_text_of_the_command_line_becomes_the_options_type(name, text, value):
    assert parse_text(Soup, name, text, where="soup") == value


def test_text_that_is_no_value_is_refused():
    with pytest.raises(OptionRefused, match=r"soup\.n_bowls is 'many'. Allowed: a whole number"):
        parse_text(Soup, "n_bowls", "many", where="soup")


def test_the_schema_holds_bounds_choices_and_defaults():
    schema = json_schema(Soup)["properties"]
    assert schema["n_bowls"]["anyOf"][0] == {"type": "integer", "minimum": 1, "maximum": 9}
    assert schema["n_bowls"]["anyOf"][1] == {"enum": ["auto"]}
    assert schema["heat"]["default"] == 60.0 and schema["heat"]["x-unit"] == "°C"
    assert schema["kind"]["enum"] == ["pea", "leek"]


def test_allowed_values_are_told_in_words():
    assert describe(Soup, "limit") == "a number from 0, or none"
