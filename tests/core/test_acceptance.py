"""Whether the encoder earns its place: on the sample, whose personas are known and never used."""

import pytest

from core.__main__ import main
from core.events import synthetic
from tests.journeys import QUICKLY, SAMPLES

SIX = ("--set", "cluster.n_clusters=6", "--set", "project.method=pca")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop():
    """The world the sample was written from, with every true parameter."""
    return synthetic.shop_world()


@pytest.fixture(scope="module")
def ari(shop, tmp_path_factory):
    """Agreement with the personas of six segments, by representation; users of no persona apart."""

    def judged(name, *settings):
        out = tmp_path_factory.mktemp(name) / "run"
        assert main(["run", str(SAMPLES / "shop_events.csv"), "--out", str(out), *settings]) == 0
        found, n_users = synthetic.judge(shop, out / "assignments.csv")
        assert n_users > 0.9 * len(shop.user_ids)
        return found

    return {"lstm": judged("lstm", *SIX), "bag": judged("bag", *SIX, *QUICKLY)}


def test_the_encoder_finds_personas_that_counting_does_not(ari, shop):
    ceiling = synthetic.hardness(shop).bayes
    print(f"\nARI: encoder {ari['lstm']:.3f}, counting {ari['bag']:.3f}, ceiling {ceiling:.3f}")
    assert ari["lstm"] >= 0.50
    assert ari["lstm"] > ari["bag"]
    # A figure above what every true parameter gives would mean that personas leaked.
    assert max(ari.values()) <= ceiling + 0.02
