"""The ways in which numbers are written, as patterns, and the SQL that takes a cell apart.

A cell is a core (digits with their marks) and what may stand around it: a sign, a currency, a
percent sign, parentheses for less than nothing.
"""

from __future__ import annotations

import re

from core.events.columns.reading import fits, literal

_SPACES = "  \u00a0\u2009\u202f"
_APOSTROPHES = "'\u2019"
_EXPONENT = r"(?:[eE][+-]?\d{1,4})?"
_PLAIN = rf"(?:\d+(?:\.\d*)?|\.\d+){_EXPONENT}"
_THOUSANDS = r"(?:\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3})(?:\.\d*)?"
_COMMA = rf"(?:(?:\d+|\d{{1,3}}(?:\.\d{{3}})+),\d+|,\d+){_EXPONENT}"
KINDS = (
    ("ungrouped", r"\d{4,}"),
    ("whole", r"\d+"),
    ("point or thousands", r"[1-9]\d{0,2}\.\d{3}"),
    ("points between thousands", r"[1-9]\d{0,2}(?:\.\d{3}){2,}"),
    ("point", _PLAIN),
    ("comma or thousands", r"[1-9]\d{0,2},\d{3}"),
    ("comma", _COMMA),
    ("thousands", _THOUSANDS),
)
"""How a core is written, by the first that fits."""

_CODES = (
    "AED ARS AUD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR JPY "
    "KRW KZT MXN MYR NGN NOK NZD PHP PKR PLN RON RUB SAR SEK SGD THB TRY TWD UAH USD "
    "VND ZAR"
)
_CURRENCIES = {
    "$": "$",
    "US$": "USD",
    "A$": "AUD",
    "AU$": "AUD",
    "C$": "CAD",
    "CA$": "CAD",
    "HK$": "HKD",
    "NT$": "TWD",
    "S$": "SGD",
    "R$": "BRL",
    "€": "EUR",
    "£": "GBP",
    "¥": "¥",
    "￥": "¥",
    "元": "CNY",
    "人民币": "CNY",
    "RMB": "CNY",
    "円": "JPY",
    "₹": "INR",
    "Rs": "INR",
    "Rs.": "INR",
    "₽": "RUB",
    "₩": "KRW",
    "₺": "TRY",
    "₫": "VND",
    "฿": "THB",
    "₴": "UAH",
    "₪": "ILS",
    "zł": "PLN",
    "Kč": "CZK",
    "kr": "kr",
    "kr.": "kr",
    **{code: code for code in _CODES.split()},
}
"""What a sign or code in front of or behind a number stands for."""


def _grouped(signs: str) -> str:
    return rf"\d{{1,3}}(?:[{signs}]\d{{3}})+(?:[.,]\d*)?"


_SIGNS = "|".join(re.escape(sign) for sign in sorted(_CURRENCIES, key=len, reverse=True))
_GAP = f"[{_SPACES}]?"
_CORE = rf"(?:\d(?:[\d.,{_SPACES}{_APOSTROPHES}]*[\d.,])?|[.,]\d+){_EXPONENT}"
_AROUND = (
    rf"(\()?{_GAP}([+\-−]?){_GAP}((?i:{_SIGNS}))?{_GAP}([+\-−]?){_GAP}({_CORE})"
    rf"{_GAP}((?i:{_SIGNS})|[%％])?(-)?{_GAP}(\))?"
)
_PARTS = ("open", "sign", "before", "inner", "core", "after", "behind", "close")
BARE = rf"[+-]?[\d.,]*\d[\d.,]*{_EXPONENT}"
"""Digits and marks with nothing around them but a sign."""
_SHORT = r"[+-]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})"
"""Neither an exponent nor many digits: always finite, and nothing to take apart."""

LIKE_NUMBERS = f"(?:{_SHORT}|{_AROUND})"
"""What can be a number, with all that may stand around it."""

IS_GROUPED = f"({fits('p.core', _grouped(_SPACES))} OR {fits('p.core', _grouped(_APOSTROPHES))})"
"""SQL that tells, of the parts ``p`` of a cell, whether spaces or apostrophes stand between
thousands; they can be nothing else there.
"""
CORE = (
    f"CASE WHEN {IS_GROUPED} THEN "
    f"regexp_replace(p.core, {literal(f'[{_SPACES}{_APOSTROPHES}]')}, '', 'g') ELSE p.core END"
)
"""SQL of the digits with the decimal and thousands marks that must be told apart."""
IS_PERCENT = "(p.after IN ('%', '％'))"
IS_TRAILED = "(p.behind = '-')"
"""SQL that tells whether a minus stands behind the number."""
IS_BRACKETED = "(p.open <> '' AND p.close <> '')"
"""SQL that tells whether the number stands in parentheses, which means less than nothing."""
_IS_NEGATIVE = f"('-' IN (p.sign, p.inner, p.behind) OR '−' IN (p.sign, p.inner) OR {IS_BRACKETED})"
_IS_ODD = (
    "((p.open = '') <> (p.close = '') OR (p.before <> '' AND p.after <> '') "
    "OR length(p.sign || p.inner || p.behind || p.open) > 1)"
)
"""SQL that tells whether there are two signs, two currencies or half a pair of parentheses."""


def parts(cell: str) -> str:
    """SQL of a struct of texts: what stands around a number, and its core."""
    names = ", ".join(map(literal, _PARTS))
    return f"regexp_extract({cell}, {literal(f'^(?:{_AROUND})$')}, [{names}])"


def parts_or_core(cell: str) -> str:
    """SQL of the same struct, quicker, where signs do not matter."""
    texts = dict.fromkeys(_PARTS, "''") | {"core": f"ltrim({cell}, '+-')"}
    bare = ", ".join(f"'{name}': {text}" for name, text in texts.items())
    return f"CASE WHEN {fits(cell, BARE)} THEN {{{bare}}} ELSE {parts(cell)} END"


def currency() -> str:
    """SQL of the currency of the parts ``p`` of a cell, "" for none."""
    cases = " ".join(
        f"WHEN {literal(sign.upper())} THEN {literal(name)}" for sign, name in _CURRENCIES.items()
    )
    return f"CASE upper(CASE WHEN {IS_PERCENT} THEN '' ELSE p.before || p.after END) {cases} END"


def finite_number(cell: str, mark: str) -> str:
    """SQL of a finite double under a decimal ``mark``, "." or ","; NULL for anything else."""
    if mark == ".":
        right, plain = rf"(?:{_PLAIN}|{_THOUSANDS})", "replace(core, ',', '')"
        short = _SHORT
    else:
        right = rf"(?:{_COMMA}|\d{{1,3}}(?:\.\d{{3}})+|\d+)"
        plain = "replace(replace(core, '.', ''), ',', '.')"
        short = r"[+-]?\d{1,15}"
    sized = f"list_transform([{CORE}], lambda core: CASE WHEN {fits('core', right)} THEN "
    sized += f"TRY_CAST({plain} AS DOUBLE) END)[1]"
    signed = (
        f"CASE WHEN NOT {_IS_ODD} THEN {sized} * CASE WHEN {_IS_NEGATIVE} THEN -1 ELSE 1 END "
        f"/ CASE WHEN {IS_PERCENT} THEN 100 ELSE 1 END END"
    )
    # the lambdas name what would be worked out again each time it is mentioned
    number = f"list_transform([{parts(cell)}], lambda p: {signed})[1]"
    finite = f"list_transform([{number}], lambda x: CASE WHEN isfinite(x) THEN x END)[1]"
    return f"CASE WHEN {fits(cell, short)} THEN TRY_CAST({cell} AS DOUBLE) ELSE {finite} END"
