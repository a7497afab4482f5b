import os
import signal
from contextlib import closing
from multiprocessing import active_children
from types import SimpleNamespace

import psutil
import pytest

from nlp.annotate import Annotator
from nlp.crew import SHARED, Crew

TEXTS = (
    "Un entrepôt brûle à Cholet, fumée noire partout, appelez les pompiers",
    "Ce film est une bombe, je suis mort de rire",
    "Two cars crashed on the bridge, people are hurt",
)


def posts(count):
    return [SimpleNamespace(id=str(n), text=f"{TEXTS[n % 3]} {n}", lang=None, geo=None) for n in range(count)]


@pytest.fixture(scope="module")
def crew():
    with closing(Crew(helpers=1).gather()) as made:
        yield made


def test_a_shared_batch_gets_the_answers_of_one_annotator_in_order(crew):
    assert crew.annotate(posts(SHARED + 1)) == Annotator().annotate(posts(SHARED + 1))


def test_a_helper_that_dies_costs_no_post(crew):
    crew.gather()
    for pid in list(crew._pool._processes):
        os.kill(pid, signal.SIGKILL)
    assert len(crew.annotate(posts(SHARED))) == SHARED


def test_closing_does_not_wait_for_a_helper_that_is_still_loading():
    before = set(active_children())
    with closing(Crew(helpers=1)) as hasty:
        hasty.annotate(posts(SHARED))
        helpers = [psutil.Process(each.pid) for each in set(active_children()) - before]
    assert len(helpers) == 1
    _, alive = psutil.wait_procs(helpers, timeout=1)
    assert not alive
