from core.events import engine
from core.events.cleaning.cleaning_sql import ROWS_SQL, TALLY_SQL, Cleaning, open_parameters
from core.events.cleaning.duplicates import find_repeats


def test_cleaning_whole_users_part_by_part_gives_what_cleaning_all_at_once_gives(log_of):
    """What lets the same text run on a distributed engine, partitioned by user."""
    log = log_of(
        *[
            {
                "user": f"u{n % 5}",
                "time": n // 10,
                "price": float(n % 3 - 1),
                "item": f"i{n % 2}" if n % 7 else None,
            }
            for n in range(40)
        ]
    )

    def tally(where: str) -> list[tuple]:
        methods = {"item": "ffill", "price": "user_mean"}
        with engine.connect() as connection:
            engine.open_events(connection, log.path)
            find_repeats(connection)
            connection.execute(f"CREATE TABLE rows_once AS FROM ({ROWS_SQL}) WHERE {where}")
            return Cleaning(connection, open_parameters(), methods).rows(TALLY_SQL)

    parts = tally("\"user\" <= 'u2'") + tally("\"user\" > 'u2'")
    assert sorted(parts) == sorted(tally("true"))
    assert sum(n for *_, n, _ in parts) == 40
