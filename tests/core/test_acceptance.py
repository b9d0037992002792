"""Whether the tool finds what is there: on the sample, whose personas are known and never used."""

import json

import pytest

from core.__main__ import main
from core.events import synthetic
from tests.journeys import SAMPLES

PCA = ("--set", "project.method=pca")
SIX = ("--set", "cluster.n_clusters=6", *PCA)
POINTS = ("--set", "cluster.method=kmeans")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop():
    """The world the sample was written from, with every true parameter."""
    return synthetic.shop_world()


@pytest.fixture(scope="module")
def ceiling(shop):
    return synthetic.hardness(shop).bayes


@pytest.fixture(scope="module")
def judged(shop, tmp_path_factory):
    """Run the sample: agreement with the personas (users of none apart) and what was evaluated."""

    def run(*settings):
        out = tmp_path_factory.mktemp("sample") / "run"
        assert main(["run", str(SAMPLES / "shop_events.csv"), "--out", str(out), *settings]) == 0
        found, n_users = synthetic.judge(shop, out / "assignments.csv")
        assert n_users > 0.9 * len(shop.user_ids)
        return found, json.loads((out / "evaluation.json").read_text("utf-8"))

    return run


@pytest.fixture(scope="module")
def found(judged):
    """Agreement by way."""
    return {
        "encoder": judged("--set", "represent.method=lstm", *POINTS, *SIX)[0],
        "counting": judged("--set", "represent.method=bag", *POINTS, *SIX)[0],
        "auto": judged(*SIX)[0],
    }


def test_the_default_journey_finds_the_number_of_personas_and_who_is_who(judged, ceiling):
    ari, evaluation = judged(*PCA)
    print(f"\nARI: default journey {ari:.3f}, ceiling {ceiling:.3f}")
    assert (evaluation["k"], evaluation["k_recommended"]) == (6, 6)
    assert ceiling - 0.05 <= ari <= ceiling + 0.02


def test_with_six_segments_asked_for_the_choice_left_to_the_tool_nears_the_ceiling(found, ceiling):
    print("\nARI: " + ", ".join(f"{way} {ari:.3f}" for way, ari in found.items()))
    assert found["auto"] >= 0.93
    # A figure above what every true parameter gives would mean that personas leaked.
    assert max(found.values()) <= ceiling + 0.02


def test_the_encoder_finds_personas_that_counting_does_not(found):
    assert found["encoder"] >= 0.50
    assert found["encoder"] > found["counting"]
