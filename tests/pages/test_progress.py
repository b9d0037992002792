import json
import os
import re
import time

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.artifacts import EpochReport, Progress
from core.jobs import JobRequest
from core.run_options import RunOptions
from core.store import to_plain
from core.workspace import open_workspace

DATASET = "0123456789abcdef"
JOB = "1700000000000-abcdef12"


def page():
    import streamlit as st

    from ui import progress, session

    session.WORKSPACE.set("local")
    session.DATASET.set("0123456789abcdef")
    drawn = lambda epochs: st.text(f"{len(epochs)} epochs drawn")  # noqa: E731
    wanted = st.session_state.get("wanted", "mine")
    st.text(f"at work: {progress.watch('embeddings', wanted, drawn)}")


@pytest.fixture
def folder(home):
    """A job as a worker leaves it half way: alive, 40% done, two epochs of five."""
    made = open_workspace().jobs / JOB
    made.mkdir(parents=True)
    request = JobRequest(
        workspace=str(open_workspace().root),
        dataset_id=DATASET,
        step="embeddings",
        options=RunOptions().to_dict(),
        identity="mine",
        started=time.time() - 20,
    )
    (made / "job.json").write_text(json.dumps(to_plain(request)))
    half_way = Progress(stage="embeddings", done=0.4, text="Epoch 2 of 5, about 12 s left")
    (made / "progress.json").write_text(json.dumps(to_plain(half_way)))
    epochs = [
        EpochReport(
            epoch=n,
            n_epochs=5,
            losses={"total": 3.0 / n},
            validation_losses={"total": 3.5 / n},
            events_per_second=12_345.0,
            seconds=4.0 * n,
        )
        for n in (1, 2)
    ]
    lines = "".join(json.dumps(to_plain(epoch)) + "\n" for epoch in epochs)
    (made / "epochs.jsonl").write_text(lines)
    (made / "alive").touch()
    return made


def words(at):
    assert not at.exception
    found = (*at.text, *at.caption, *at.markdown, *at.error, *at.info)
    return " ".join(str(element.value) for element in found)


def test_a_running_job_shows_its_share_speed_and_time_left(folder):
    at = AppTest.from_function(page).run()
    assert at.get("progress")[0].proto.value == 40
    assert "12,345 events per second" in words(at)
    text = at.get("progress")[0].proto.text.replace("\\", "")
    assert "Epoch 2 of 5, about 12 s left" in text
    assert re.search(r"2\d s so far", words(at))
    assert "2 epochs drawn" in words(at)
    assert "at work: True" in words(at)


def test_cancel_ends_the_job_and_says_so(folder):
    at = AppTest.from_function(page).run()
    at.button(key=f"cancel-{JOB}").click().run()
    assert jobs.status(open_workspace(), JOB).state == "cancelled"
    assert "finished are kept" in words(at)
    assert "at work: False" in words(at)


def test_a_worker_that_was_killed_is_reported_and_the_page_lives_on(folder):
    silent_since = time.time() - 60
    os.utime(folder / "alive", (silent_since, silent_since))
    at = AppTest.from_function(page).run()
    assert "ended unexpectedly" in words(at)
    assert "at work: False" in words(at)


def test_a_failure_is_shown_until_it_was_read(folder):
    jobs.write_result(folder, "failed", "Column 'x' <b>holds</b> nothing.")
    at = AppTest.from_function(page).run()
    assert "\\<b\\>" in at.error[0].value
    at.button(key=f"dismiss-{JOB}").click().run()
    assert not at.error
    assert not at.exception


def test_a_finished_job_leaves_no_trace(folder):
    jobs.write_result(folder, "done")
    at = AppTest.from_function(page).run()
    assert words(at) == "at work: False"


def test_the_job_of_another_data_set_is_not_shown(folder):
    request = json.loads((folder / "job.json").read_text())
    (folder / "job.json").write_text(json.dumps(request | {"dataset_id": "f" * 16}))
    at = AppTest.from_function(page).run()
    assert words(at) == "at work: False"


def test_work_under_other_settings_is_named_as_such_and_its_curves_are_not_shown(folder):
    at = AppTest.from_function(page)
    at.session_state["wanted"] = "another"
    at.run()
    assert "under the settings you had before" in at.info[0].value
    assert [text.value for text in at.text] == ["at work: True"]


def test_how_work_under_other_settings_ended_is_not_shown(folder):
    jobs.write_result(folder, "failed", "Too few users.")
    at = AppTest.from_function(page)
    at.session_state["wanted"] = "another"
    at.run()
    assert not at.error and at.text[0].value == "at work: False"
