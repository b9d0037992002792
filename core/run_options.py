"""Every setting of a journey in one frozen object, flat per stage for people and files.

    {"clean": {"duplicates": "keep"}, "cluster": {"method": "kmeans", "n_clusters": 6}, "seed": 3}

A stage may have several option classes behind its name (its own and those of the method that
was picked); an analyst sees one flat list of names per stage.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self

from core.clustering import CLUSTERERS
from core.clustering.auto import AutoOptions as AutoClusterOptions
from core.clustering.choose_k import KOptions
from core.errors import OptionRefused, did_you_mean
from core.evaluation import EvaluateOptions
from core.events.clean import CleanOptions
from core.events.map_options import MapOptions
from core.events.read import ReadOptions
from core.item_features.options import ItemFeatureOptions
from core.options import Options, json_schema, option, option_types, parse_text
from core.projection import ProjectionOptions
from core.recommend import RecommendOptions
from core.report import ReportOptions
from core.representations import REPRESENTATIONS
from core.representations.ladder import AutoOptions as AutoRepresentOptions
from core.segments import SegmentOptions
from core.sequence_models.options import SequenceModelOptions
from core.sequences import SequenceOptions

METHODS: dict[str, Mapping[str, type[Options]]] = {
    "represent": {"auto": AutoRepresentOptions}
    | {name: entry.Options for name, entry in REPRESENTATIONS.items()},
    "cluster": {"auto": AutoClusterOptions}
    | {name: entry.Options for name, entry in CLUSTERERS.items()},
}
"""The options of every method of the stages that have a choice of methods."""


@dataclass(frozen=True, kw_only=True)
class RepresentOptions(Options):
    """How users become points."""

    method: str = option(
        "auto",
        "Representation",
        "How a user's behaviour becomes numbers; auto tries some on a sample and takes the one "
        "whose segments foretell users not seen best",
    )


@dataclass(frozen=True, kw_only=True)
class ClusterOptions(Options):
    """How points become segments."""

    method: str = option(
        "auto",
        "Algorithm",
        "How segments are found; auto takes the one whose segments foretell users not seen best",
    )
    n_clusters: int | Literal["auto"] = option(
        "auto",
        "Number of segments",
        "How many segments to form; auto takes the suggested number",
        low=1,
        high=200,
    )
    refine: bool = option(
        False,
        "Refine segments",
        "Lets models of behaviour improve segments that were formed of points; kept only where "
        "users that were left out are foretold surely better",
    )


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """All settings of one journey; the defaults are a sound journey."""

    read: ReadOptions = ReadOptions()
    map: MapOptions = MapOptions()
    clean: CleanOptions = CleanOptions()
    sequence: SequenceOptions = SequenceOptions()
    item_features: ItemFeatureOptions = ItemFeatureOptions()
    represent: RepresentOptions = RepresentOptions()
    models: SequenceModelOptions = SequenceModelOptions()
    represent_params: Options = AutoRepresentOptions()
    choose_k: KOptions = KOptions()
    cluster: ClusterOptions = ClusterOptions()
    cluster_params: Options = AutoClusterOptions()
    project: ProjectionOptions = ProjectionOptions()
    evaluate: EvaluateOptions = EvaluateOptions()
    segment: SegmentOptions = SegmentOptions()
    recommend: RecommendOptions = RecommendOptions()
    report: ReportOptions = ReportOptions()
    seed: int = 0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make the settings from ``{stage: {option: value}, "seed": n}``; refuses unknown ones."""
        seed = checked_seed(values.get("seed", 0))
        unknown = [name for name in values if name != "seed" and name not in STAGES]
        if unknown:
            raise OptionRefused(
                f"Unknown stage '{unknown[0]}'. Allowed: {', '.join(STAGES)}, seed."
                f"{did_you_mean(unknown[0], STAGES)}"
            )
        parts: dict[str, Any] = {}
        for stage in STAGES:
            parts |= _split(stage, values.get(stage, {}))
        return cls(**parts, seed=seed)

    def to_dict(self) -> dict[str, Any]:
        """The flat settings per stage, as `from_dict` takes them."""
        flat: dict[str, Any] = {
            stage: {
                name: value
                for part in _part_names(stage)
                for name, value in getattr(self, part).to_dict().items()
            }
            for stage in STAGES
        }
        return flat | {"seed": self.seed}

    def changed(self, **parts: Any) -> Self:
        """These settings with some parts replaced; a new method gets its own default params."""
        for stage, catalogue in METHODS.items():
            new = parts.get(stage)
            if new is not None and f"{stage}_params" not in parts:
                options = catalogue[_method_name(stage, new.method)]
                if type(getattr(self, f"{stage}_params")) is not options:
                    parts[f"{stage}_params"] = options()
        return replace(self, **parts)


STAGES: dict[str, tuple[type[Options], ...]] = {
    "read": (ReadOptions,),
    "map": (MapOptions,),
    "clean": (CleanOptions,),
    "sequence": (SequenceOptions, ItemFeatureOptions),
    "represent": (RepresentOptions, SequenceModelOptions),
    "cluster": (ClusterOptions, KOptions),
    "project": (ProjectionOptions,),
    "evaluate": (EvaluateOptions,),
    "segment": (SegmentOptions,),
    "recommend": (RecommendOptions,),
    "report": (ReportOptions,),
}
"""Option classes behind each stage name; the picked method adds its own."""

_PARTS: dict[type[Options], str] = {
    KOptions: "choose_k",
    ItemFeatureOptions: "item_features",
    SequenceModelOptions: "models",
}


def load_options(
    file: Path | None,
    settings: Iterable[str],
    seed: int | None,
    kept: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> RunOptions:
    """Settings from an options file, then those ``kept``, then texts, then a seed.

    The texts are ``stage.field=value``; ``kept`` are options by stage.
    """
    values: dict[str, Any] = {} if file is None else _read_options_file(file)
    values |= {stage: {**_named(stage, values.get(stage, {})), **kept[stage]} for stage in kept}
    values = _with_settings(values, settings)
    return RunOptions.from_dict(values if seed is None else values | {"seed": seed})


def answers(
    known: Mapping[str, Mapping[str, Any]], file: Path | None, settings: Iterable[str]
) -> RunOptions:
    """The options by stage that are ``known``, with what a file, then texts, say instead.

    Raises OptionRefused for any other stage.
    """
    values: dict[str, Any] = {} if file is None else _read_options_file(file)
    for stage in (*values, *(_split_setting(setting)[0] for setting in settings)):
        if stage not in known:
            raise OptionRefused(
                f"'{stage}' cannot be set for a new log, as the run has settled it. Allowed: "
                f"options of {' and '.join(known)}, which say how the new log is read."
            )
    merged = {
        stage: {**options, **_named(stage, values.get(stage, {}))}
        for stage, options in known.items()
    }
    return RunOptions.from_dict(_with_settings(merged, settings))


def _with_settings(values: dict[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Options by stage with ``stage.field=value`` texts on top."""
    for setting in settings:
        stage, name, text = _split_setting(setting)
        values[stage] = {**_named(stage, values.get(stage, {})), name: text}
    texts = {tuple(setting.split("=", 1)[0].split(".", 1)) for setting in settings}
    for stage, name in texts:
        values[stage][name] = _parsed(stage, name, values[stage])
    return values


def options_schema() -> dict[str, Any]:
    """JSON schema of every stage's options, with those of each method by name."""
    stages: dict[str, Any] = {}
    for stage, classes in STAGES.items():
        schema: dict[str, Any] = {"type": "object", "properties": {}}
        for cls in classes:
            schema["properties"] |= json_schema(cls)["properties"]
        if stage in METHODS:
            schema["properties"]["method"]["enum"] = list(METHODS[stage])
            schema["methods"] = {name: json_schema(cls) for name, cls in METHODS[stage].items()}
        stages[stage] = schema
    stages["seed"] = {"type": "integer", "default": 0, "minimum": 0}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "properties": stages,
    }


def _part_names(stage: str) -> list[str]:
    own = [_PARTS.get(cls, stage) for cls in STAGES[stage]]
    return own + ([f"{stage}_params"] if stage in METHODS else [])


def _classes(stage: str, values: Mapping[str, Any]) -> list[type[Options]]:
    classes = list(STAGES[stage])
    if stage in METHODS:
        name = _method_name(stage, values.get("method", "auto"))
        classes.append(METHODS[stage][name])
    return classes


def _method_name(stage: str, method: Any) -> str:
    catalogue = METHODS[stage]
    if method not in list(catalogue):  # a list from a file has no hash
        raise OptionRefused(
            f"{stage}.method is {method!r}. Allowed: {', '.join(catalogue)}."
            f"{did_you_mean(str(method), catalogue)}"
        )
    return str(method)


def _split(stage: str, values: Any) -> dict[str, Options]:
    """Deal a stage's flat settings out to its option classes."""
    classes = _classes(stage, _named(stage, values))
    known = [name for cls in classes for name in option_types(cls)]
    for name in values:
        if name not in known:
            raise OptionRefused(
                f"Unknown option '{stage}.{name}'. Allowed: {', '.join(known) or 'none'}."
                f"{_of_another_method(stage, name) or did_you_mean(name, known)}"
            )
    made = {
        part: cls.from_dict(
            {k: v for k, v in values.items() if k in option_types(cls)}, where=stage
        )
        for part, cls in zip(_part_names(stage), classes, strict=True)
    }
    for options in made.values():
        if isinstance(options, AutoRepresentOptions | AutoClusterOptions):
            options.names(name for name in METHODS[stage] if name != "auto")
    return made


def _of_another_method(stage: str, name: str) -> str:
    """To which methods of the stage an option belongs, in a sentence; empty where to none."""
    methods = [m for m, cls in METHODS.get(stage, {}).items() if name in option_types(cls)]
    return f" It belongs to {stage}.method={' or '.join(methods)}." if methods else ""


def _named(stage: str, values: Any) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise OptionRefused(f"'{stage}' must hold named options, not {values!r}.")
    return values


def _split_setting(setting: str) -> tuple[str, str, str]:
    target, equals, text = setting.partition("=")
    stage, dot, name = target.partition(".")
    if not (equals and dot and name):
        raise OptionRefused(
            f"'{setting}' is no setting. Write stage.field=value, e.g. cluster.n_clusters=6."
        )
    if stage not in STAGES:
        raise OptionRefused(
            f"Unknown stage '{stage}'. Allowed: {', '.join(STAGES)}.{did_you_mean(stage, STAGES)}"
        )
    return stage, name, text


def _parsed(stage: str, name: str, values: Mapping[str, Any]) -> Any:
    for cls in _classes(stage, values):
        if name in option_types(cls):
            return parse_text(cls, name, values[name], where=stage)
    return values[name]


def _read_options_file(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise OptionRefused(f"There is no options file '{file}'.") from None
    except OSError as unreadable:
        raise OptionRefused(
            f"The options file '{file}' cannot be read: {unreadable.strerror}."
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as broken:
        raise OptionRefused(f"The options file '{file}' is not valid JSON: {broken}.") from None
    if not isinstance(values, dict):
        raise OptionRefused(f"The options file '{file}' must hold an object of stages.")
    return values


def checked_seed(seed: Any) -> int:
    """A seed as it came. Raises OptionRefused."""
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**31:
        raise OptionRefused(f"seed is {seed!r}. Allowed: a whole number from 0 to 2147483647.")
    return seed
