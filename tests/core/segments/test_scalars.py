"""Every vectorised figure against the same figure worked out user by user, the plain way."""

import numpy as np
import pytest

from core.segments import _base
from core.segments._base import blocks
from core.segments.scalars import Calendar, known_scalars, scalar_values
from tests.worlds import tiny_sequences

DAY, PAUSE = 86_400, 1800.0


def random_log():
    rng = np.random.default_rng(3)
    users = {}
    for i in range(40):
        times = np.sort(rng.integers(0, 20 * DAY, size=rng.integers(1, 30)))
        users[f"u{i:02d}"] = [
            (
                str(rng.choice(["view", "buy"])),
                None,
                None,
                int(t),
                None if rng.random() < 0.2 else round(float(rng.lognormal(3)), 2),
            )
            for t in times
        ]
    return users


def plainly(events, last):
    """The same figures, one user at a time."""
    times = np.array([event[3] for event in events])
    gaps, hours, days = np.diff(times), times // 3600 % 24, times // DAY
    prices = [p for *_, p in events if p is not None]
    paid = [p for action, *_, p in events if p is not None and action == "buy"]
    return {
        "gap": np.median(gaps) if len(gaps) else np.nan,
        "visit_events": len(times) / (1 + (gaps > PAUSE).sum()),
        "day_events": len(times) / len(set(days)),
        "active_days": len(set(days)),
        "morning": np.mean((hours >= 6) & (hours < 12)),
        "night": np.mean((hours >= 22) | (hours < 6)),
        # 1970 began on a Thursday: days 2 and 3 are its first weekend
        "weekend": np.mean([day % 7 in (2, 3) for day in days]),
        "price": np.exp(np.mean(np.log1p(prices))) - 1 if prices else np.nan,
        "paid": np.exp(np.mean(np.log1p(paid))) - 1 if paid else np.nan,
        "spend": sum(paid),
        "purchases": sum(action == "buy" for action, *_ in events),
        "events": len(events),
        "tenure": (times[-1] - times[0]) / DAY,
        "recency": (last - times[-1]) / DAY,
    }


@pytest.mark.parametrize("users_per_block", [7, 1000])
def test_figures_of_every_user_are_those_worked_out_one_by_one(users_per_block, monkeypatch):
    monkeypatch.setattr(_base, "USERS_PER_BLOCK", users_per_block)
    users = random_log()
    log = tiny_sequences(users)
    last = int(log.time.max())
    calendar = Calendar(last=last, pause=PAUSE)
    parts = [scalar_values(log, calendar, block) for block in blocks(log)]
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    assert set(known_scalars(log)) == set(found)
    expected = [plainly(users[user], last) for user in log.user_ids]
    logged = {"gap", "visit_events", "day_events", "active_days", "price", "paid"}
    logged |= {"events", "tenure", "recency"}
    for name in expected[0]:
        shown = np.expm1(found[name]) if name in logged else found[name]
        plain = [figures[name] for figures in expected]
        assert shown == pytest.approx(plain, nan_ok=True, rel=1e-5, abs=1e-9), name
