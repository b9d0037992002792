"""How a user's behaviour becomes numbers: the catalogue, and the two things done with it."""

from __future__ import annotations

from dataclasses import replace

from core.artifacts import Embeddings, FloatArray, Sequences, State, fingerprint
from core.errors import OptionRefused, did_you_mean
from core.options import Options
from core.representations import ladder
from core.representations._base import QUESTIONS as QUESTIONS
from core.representations._base import VERSION as VERSION
from core.representations._base import Representation
from core.representations._base import Work as Work
from core.representations.bag import BAG
from core.representations.event2vec import EVENT2VEC
from core.representations.fused import FUSED
from core.representations.ladder import AutoOptions
from core.representations.markov import MARKOV
from core.representations.markov_mixture import MARKOV_MIXTURE
from core.representations.ngram import BIGRAM
from core.representations.ngrams_with_skips import NGRAM
from core.representations.recurrent import CNN, GRU, LSTM, RNN
from core.representations.rfm import RFM
from core.representations.tfidf import TFIDF
from core.representations.timing import TIME

REPRESENTATIONS: dict[str, Representation] = {
    r.name: r
    for r in (
        LSTM,
        GRU,
        RNN,
        CNN,
        MARKOV_MIXTURE,
        FUSED,
        BAG,
        TFIDF,
        EVENT2VEC,
        BIGRAM,
        NGRAM,
        MARKOV,
        TIME,
        RFM,
    )
}


def represent(
    sequences: Sequences, method: str, options: Options, work: Work = Work()
) -> Embeddings:
    """One point per user, in the space that is clustered.

    ``options`` is an instance of the method's own ``Options``; with "auto" those of the ladder, and
    the representation whose segments foretell unseen users best is taken. The same seed gives the
    same values (byte for byte on a CPU), also where work kept by an interrupted call is gone on
    with. Raises OptionRefused and TooLittleData.
    """
    if method == "auto":
        assert isinstance(options, AutoOptions)
        chosen = ladder.climb(sequences, REPRESENTATIONS, options, work)
        entry = REPRESENTATIONS[chosen.method]
        made = represent(sequences, chosen.method, entry.Options(), work)
        made_by = {"method": method, **options.to_dict(), "seed": work.seed}
        return replace(
            made,
            tried=chosen.rungs,
            why=chosen.why,
            fingerprint=fingerprint(sequences.fingerprint, "embeddings", VERSION, made_by),
        )
    entry = _entry(method)
    if not isinstance(options, entry.Options):
        raise OptionRefused(
            f"'{method}' takes {entry.Options.__name__}, not {type(options).__name__}."
        )
    fitted = entry.fit(sequences, options, work)
    made_by = {"method": method, **options.to_dict(), "seed": work.seed}
    return Embeddings(
        user_ids=sequences.user_ids,
        values=fitted.values,
        method=method,
        learned=entry.learned,
        device=fitted.device,
        state=fitted.state,
        history=fitted.history,
        findings=fitted.findings,
        fingerprint=fingerprint(sequences.fingerprint, "embeddings", VERSION, made_by),
    )


def transform(method: str, state: State, sequences: Sequences) -> FloatArray:
    """Place users in a space fitted earlier, shape (U, D), without fitting anything.

    The sequences must be coded by the vocabulary of the log the space was fitted on; codes it
    did not have count as unknown. For the users it was fitted on the values are the same.
    """
    return _entry(method).transform(state, sequences)


def _entry(method: str) -> Representation:
    if method not in REPRESENTATIONS:
        raise OptionRefused(
            f"There is no representation '{method}'. Allowed: {', '.join(REPRESENTATIONS)}."
            f"{did_you_mean(method, REPRESENTATIONS)}"
        )
    return REPRESENTATIONS[method]
