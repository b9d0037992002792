import json
import os
import re
import time

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.artifacts import EpochReport, Progress
from core.jobs import JobRequest
from core.pipeline import STEPS
from core.run_options import RunOptions
from core.store import to_plain
from core.workspace import open_workspace
from ui.progress import _WORDS

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
        learns=True,
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


def test_pause_asks_the_worker_and_says_that_it_was_asked(folder):
    at = AppTest.from_function(page).run()
    at.button(key=f"pause-{JOB}").click().run()
    assert (folder / "pause").exists()
    assert at.button(key=f"pause-{JOB}").disabled
    assert at.button(key=f"pause-{JOB}").label == "Pausing …"


def test_a_paused_job_offers_to_be_resumed(folder, monkeypatch):
    resumed = []
    monkeypatch.setattr(jobs, "resume", lambda workspace, job_id: resumed.append(job_id))
    jobs.write_result(folder, "paused", "Paused. Steps that were finished are kept.")
    at = AppTest.from_function(page).run()
    assert "Steps that were finished are kept" in at.info[0].value
    at.button(key=f"resume-{JOB}").click().run()
    assert resumed == [JOB]


def test_why_a_job_cannot_be_resumed_is_shown(folder):
    jobs.write_result(folder, "lost", "The background process ended unexpectedly.")
    at = AppTest.from_function(page).run()
    at.button(key=f"resume-{JOB}").click().run()  # its data set is not there
    assert not at.exception


def test_a_failed_step_is_not_to_be_resumed_for_it_would_fail_again(folder):
    jobs.write_result(folder, "failed", "Too few users.")
    at = AppTest.from_function(page).run()
    assert [button.key for button in at.button] == [f"dismiss-{JOB}"]


def test_a_job_in_the_queue_shows_its_place_and_can_be_cancelled(folder):
    (folder / "progress.json").unlink()
    (folder / "ahead").write_text("1")
    at = AppTest.from_function(page).run()
    assert "Waiting for its turn: 1 job ahead of yours" in at.get("progress")[0].proto.text
    assert "the work begins by itself" in words(at) and "at work: True" in words(at)
    (folder / "ahead").write_text("3")
    assert "3 jobs ahead of yours" in at.run().get("progress")[0].proto.text
    at.button(key=f"cancel-{JOB}").click().run()
    assert jobs.status(open_workspace(), JOB).state == "cancelled"


def test_what_must_be_known_of_the_work_is_shown_without_markup(folder):
    told = json.loads((folder / "progress.json").read_text())
    note = "Goes on from epoch 12. <b>No space</b> left on device."
    (folder / "progress.json").write_text(json.dumps(told | {"note": note}))
    at = AppTest.from_function(page).run()
    assert "Goes on from epoch 12" in words(at) and "<b>" not in words(at)


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


def test_no_other_work_goes_by_the_name_of_a_step_of_the_journey():
    assert {step: _WORDS[step] for step in STEPS} == STEPS
