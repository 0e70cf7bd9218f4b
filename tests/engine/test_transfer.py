"""Jobs for other machines: what stays loaded between them, and what is sent with them."""

from __future__ import annotations

from pathlib import Path

from serab_core.data.protocols import PROTOCOLS
from serab_core.embed.embedder import REPEATED_UTTERANCES
from serab_core.engine.transfer import RemoteJob, pack
from serab_core.run.evaluation import Evaluation
from serab_core.run.jobs import Job, RepeatJob
from serab_core.run.plan import make_plan
from serab_core.system.session import Session, current_session


class Look(Job):
    """Return the session that the job runs in."""

    label = "look"

    def work(self):
        return None

    def run(self):
        return current_session()


def test_jobs_of_one_run_share_a_session(tmp_path):
    """A session is unpickled for each job; extractors must not be built for each of them."""
    sessions = [RemoteJob(Look(), tmp_path).run(Session(home=tmp_path))[0] for _ in range(3)]
    assert sessions[0] is sessions[1] is sessions[2]
    assert RemoteJob(Look(), tmp_path).run(Session(home=tmp_path / "other"))[0] is not sessions[0]
    remote = [RemoteJob(Look(), tmp_path, remote=True).run(Session(home=tmp_path))[0] for _ in range(2)]
    assert remote[0] is remote[1]
    assert remote[0].home is None


def test_a_second_embedding_is_sent_with_the_audio_that_it_reads(prepared_tones, home, quiet):
    plan = make_plan(home, ["toy"], ["tones"], PROTOCOLS["serab"], ["knn"])
    evaluation = Evaluation.of(plan, plan.extractors[0], plan.tasks[0])
    blocks = evaluation.source.blocks()
    job = RepeatJob("toy", evaluation.extractor.fingerprint, tuple((block, 0) for block in blocks), None)
    packed = pack(job, home, home_seen=True, audio_seen=lambda path: False)
    assert len(packed.audio) == REPEATED_UTTERANCES * len(blocks)
    assert all(Path(utterance.path).exists() for utterance in job.audio())


def test_sessions_of_other_homes_stay_loaded_and_close_with_their_parent(tmp_path):
    parent, closed = Session(), []
    session = parent.with_home(tmp_path)
    assert parent.with_home(tmp_path) is session
    assert session.with_home(tmp_path) is session
    session.on_close(lambda: closed.append(1))
    parent.close()
    assert closed == [1]
