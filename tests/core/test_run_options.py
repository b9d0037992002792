import json

import pytest

from core.clustering import CLUSTERERS
from core.errors import OptionRefused
from core.representations import REPRESENTATIONS
from core.run_options import RunOptions, load_options, options_schema


def test_settings_survive_the_way_to_a_file_and_back():
    options = RunOptions.from_dict(
        {"represent": {"method": "bag"}, "cluster": {"n_clusters": 6, "k_max": 8}, "seed": 3}
    )
    assert options.cluster.n_clusters == 6 and options.choose_k.k_max == 8
    assert RunOptions.from_dict(json.loads(json.dumps(options.to_dict()))) == options


def test_the_choice_is_left_to_the_tool_by_default_among_known_candidates():
    options = RunOptions()
    assert (options.represent.method, options.cluster.method) == ("auto", "auto")
    assert options.represent_params.names(REPRESENTATIONS) == options.represent_params.candidates
    assert options.cluster_params.names(CLUSTERERS) == options.cluster_params.candidates
    assert {"markov_mixture", "lstm"} <= set(options.represent_params.candidates)
    reads = {CLUSTERERS[name].reads for name in options.cluster_params.candidates}
    assert reads == {"points", "behaviour"}


def test_how_behaviour_is_modelled_is_set_with_the_representation_whatever_the_method():
    for method in ("auto", "bag"):
        given = {"method": method, "models_most": 5, "background": "never"}
        options = RunOptions.from_dict({"represent": given})
        assert (options.models.models_most, options.models.background) == (5, "never")
        assert options.to_dict()["represent"].items() >= given.items()


def test_the_options_of_the_picked_method_are_taken_in_any_order(tmp_path):
    for settings in (
        ["cluster.min_cluster_size=7", "cluster.method=hdbscan"],
        ["cluster.method=hdbscan", "cluster.min_cluster_size=7"],
    ):
        options = load_options(None, settings, seed=5)
        assert options.cluster_params.min_cluster_size == 7 and options.seed == 5


def test_a_setting_comes_over_the_file_and_the_seed_over_both(tmp_path):
    file = tmp_path / "options.json"
    file.write_text('{"clean": {"min_events": 5, "duplicates": "keep"}, "seed": 1}', "utf-8")
    options = load_options(file, ["clean.min_events=7"], seed=2)
    assert (options.clean.min_events, options.clean.duplicates, options.seed) == (7, "keep", 2)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("cluster.n_cluster=6", "Unknown option 'cluster.n_cluster'.*Did you mean 'n_clusters'"),
        ("clustr.n_clusters=6", "Unknown stage 'clustr'.*Did you mean 'cluster'"),
        ("cluster.n_clusters", "is no setting. Write stage.field=value"),
        ("cluster.n_clusters=0", r"cluster\.n_clusters is 0"),
        ("cluster.n_clusters=six", r"cluster\.n_clusters is 'six'"),
        ("represent.method=lstn", "represent.method is 'lstn'.*Did you mean 'lstm'"),
        (
            "cluster.min_cluster_size=5",
            r"Unknown option 'cluster.min_cluster_size'.*It belongs to cluster\.method=hdbscan\.",
        ),
        ("represent.epochs=5", r"'represent\.epochs'.*It belongs to represent\.method=lstm or "),
        ("represent.candidates=bag,lstn", "represent.candidates names 'lstn'.*mean 'lstm'"),
        ("represent.candidates=auto", "represent.candidates names 'auto'. Allowed: lstm, "),
        ("cluster.candidates=", "cluster.candidates is empty. Name one or more of markov_mixture"),
        ("represent.models_most=0", r"represent\.models_most is 0"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_allowed(setting, told):
    with pytest.raises(OptionRefused, match=told):
        load_options(None, [setting], seed=None)


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "not valid JSON"), ("[1]", "must hold an object"), ('{"clean": 1}', "named options")],
)
def test_a_broken_options_file_is_refused(tmp_path, text, told):
    file = tmp_path / "options.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(OptionRefused, match=told):
        load_options(file, [], seed=None)


def test_a_new_method_brings_its_own_settings_and_the_same_method_keeps_them():
    options = RunOptions.from_dict({"represent": {"method": "lstm", "epochs": 3}})
    same = options.changed(represent=options.represent)
    assert same.represent_params.epochs == 3
    bag = options.changed(represent=type(options.represent)(method="bag"))
    assert "epochs" not in bag.to_dict()["represent"]


@pytest.mark.parametrize("seed", [-1, 2**31, True, "1"])
def test_a_seed_is_a_whole_number_in_range(seed):
    with pytest.raises(OptionRefused, match="seed is"):
        RunOptions.from_dict({"seed": seed})


def test_the_schema_names_every_stage_and_method():
    stages = options_schema()["properties"]
    contract = [
        "read",
        "clean",
        "sequence",
        "represent",
        "cluster",
        "evaluate",
        "segment",
        "recommend",
        "report",
    ]
    assert set(contract) <= set(stages)
    assert stages["cluster"]["properties"]["method"]["enum"] == ["auto", *CLUSTERERS]
    assert stages["represent"]["properties"]["method"]["enum"] == ["auto", *REPRESENTATIONS]
    assert "candidates" in stages["represent"]["methods"]["auto"]["properties"]
    assert "epochs" in stages["represent"]["methods"]["lstm"]["properties"]
