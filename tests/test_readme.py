"""What the README promises must be there."""

import re
from pathlib import Path

from core.__main__ import main
from core.clustering import CLUSTERERS
from core.option_tables import markdown
from core.representations import REPRESENTATIONS
from core.smaller import WAYS

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_option_tables_are_those_of_the_code():
    begin, end = "<!-- options:begin -->\n", "<!-- options:end -->"
    written = README.split(begin)[1].split(end)[0]
    assert written.strip() == markdown().strip(), (
        "paste the output of `python -m core options --format markdown` between the markers"
    )


def test_every_method_of_the_catalogues_is_described():
    for catalogue in (REPRESENTATIONS, CLUSTERERS):
        for name, entry in catalogue.items():
            assert f"`{name}`" in README and entry.label in README


def test_every_way_to_a_smaller_model_is_described():
    for name, way in WAYS.items():
        told = f"| `{name}` | {way.label} | {way.summary} | {way.gained} |"
        assert told in README


def test_every_command_is_described(capsys):
    for command in ("inspect", "run", "assign", "smaller", "export", "options"):
        assert f"python -m core {command}" in README
    assert main(["options"]) == 0
    assert '"cluster"' in capsys.readouterr().out


def test_the_python_example_runs(tmp_path, monkeypatch, capsys):
    (tmp_path / "sample_data").symlink_to(Path(__file__).parents[1] / "sample_data")
    monkeypatch.chdir(tmp_path)
    example = README.split("```python\n")[1].split("```")[0]
    exec(compile(example, "README.md", "exec"), {})
    sizes = [int(line.split()[-1]) for line in capsys.readouterr().out.splitlines()]
    assert sizes == [50, 30, 20]


def test_every_picture_is_there():
    pictures = set(re.findall(r"docs/screenshots/[a-z-]+\.png", README))
    assert len(pictures) == 20
    assert [p for p in pictures if not (Path(__file__).parents[1] / p).is_file()] == []
