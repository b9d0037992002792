"""The structure itself is tested: who may import whom, and that nothing goes round in a circle."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GROUND = {
    "core",
    "core.artifacts",
    "core.options",
    "core.errors",
    "core.device",
    "core.schedule",
    "core.store",
    "core.geometry",
    "core.wording",
    "core.action_roles",
    "core.events.engine",
    "core.sequences.scaling",
}
FOUNDATION = "core.sequence_models"
"""What several stages stand on, and that stands on the ground itself."""
FOUNDED = {"core.representations", "core.clustering", "core.evaluation"}
"""The stages that may stand on it."""
STAGES = {
    "core.events",
    "core.sequences",
    "core.item_features",
    "core.representations",
    "core.clustering",
    "core.projection",
    "core.evaluation",
    "core.segments",
    "core.recommend",
    "core.charts",
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    module_name(path): path
    for folder in ("core", "ui", "pages")
    for path in sorted((ROOT / folder).rglob("*.py"))
} | {"app": ROOT / "app.py"}


def imported(path: Path) -> set[str]:
    """Every module named by an import statement; `from a import b` is a.b where b is a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else str(node.module) for name in names}
    return found


def stage_of(module: str) -> str | None:
    return next((s for s in STAGES if belongs(module, s)), None)


def belongs(module: str, folder: str) -> bool:
    return module == folder or module.startswith(folder + ".")


def ours(module: str) -> set[str]:
    """The modules of core that a module imports."""
    return {name for name in imported(MODULES[module]) if name.split(".")[0] == "core"}


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("core")])
def test_core_knows_nothing_of_the_dashboard(module):
    roots = {name.split(".")[0] for name in imported(MODULES[module])}
    assert not roots & {"streamlit", "ui", "pages", "app"}


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("ui")])
def test_ui_does_not_import_pages(module):
    roots = {name.split(".")[0] for name in imported(MODULES[module])}
    assert not roots & {"pages", "app"}


@pytest.mark.parametrize("module", [m for m in MODULES if stage_of(m)])
def test_a_stage_imports_only_the_ground_and_its_own_folder(module):
    own = stage_of(module)
    strangers = {name for name in ours(module) if name not in GROUND and stage_of(name) != own}
    founded = {name for name in strangers if own in FOUNDED and belongs(name, FOUNDATION)}
    assert strangers == founded


@pytest.mark.parametrize("module", [m for m in MODULES if belongs(m, FOUNDATION)])
def test_the_models_of_behaviour_know_no_stage(module):
    ground = ("artifacts", "device", "errors", "geometry", "options", "schedule", "wording")
    allowed = {f"core.{name}" for name in ground}
    strangers = {name for name in ours(module) if not belongs(name, FOUNDATION)}
    assert strangers <= allowed


def test_imports_never_go_round_in_a_circle():
    graph = {
        name: {found for found in imported(path) if found in MODULES and found != name}
        for name, path in MODULES.items()
    }
    assert list(TopologicalSorter(graph).static_order())  # raises CycleError on a circle


def test_starting_the_dashboard_or_the_command_line_loads_no_heavy_library():
    program = (
        "import sys, core.__main__, core.pipeline, core.jobs, core.runs\n"
        "heavy = {'torch', 'umap', 'hdbscan', 'sklearn', 'numba', 'scipy', "
        "'charset_normalizer'}\n"
        "print(','.join(sorted(heavy & set(sys.modules))))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""


def test_no_page_is_longer_than_150_lines():
    lengths = {
        path.name: len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "pages").glob("*.py")
    }
    assert {name: n for name, n in lengths.items() if n > 150} == {}


def test_what_is_imported_is_pinned_and_what_is_pinned_is_imported():
    packages = {
        "scikit-learn": "sklearn",
        "umap-learn": "umap",
        "Jinja2": "jinja2",
        "MarkupSafe": "markupsafe",
        "charset-normalizer": "charset_normalizer",
    }
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    assert all("==" in line for line in lines)
    pinned = {packages.get(line.split("==")[0], line.split("==")[0]) for line in lines}
    used = {name.split(".")[0] for path in MODULES.values() for name in imported(path)}
    outside = used - set(sys.stdlib_module_names) - {"core", "ui", "pages", "app"}
    assert outside == pinned
