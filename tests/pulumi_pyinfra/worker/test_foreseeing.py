"""What a plan asks of a host is asked in few rounds."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pulumi_pyinfra.protocol import Finished, Host
from tests.pulumi_pyinfra.delay import delayed

from .asking import PROGRAM, ask, of, over_ssh, wanted

ROUND_TRIP = 0.4

# A process of its own, as a worker is: gevent is nothing for the process that runs the tests.
ROUNDS = """
import json, sys
from pulumi_pyinfra.worker.foreseeing import Rounds

sent, ended = [], {}

def together(questions):
    sent.append(sorted(text for text, _ in questions))
    if "broken" in sent[-1]:
        raise OSError("the connection broke")
    return [(True, text.upper()) for text, _ in questions]

rounds = Rounds(together)

def scout(name, *questions):
    def walk():
        ended[name] = []
        for question in questions:
            ended[name].append(rounds.ask(question, (question, {}))[1])
        if name == "raises":
            raise ValueError(name)
    return walk

rounds.walk([scout(name, *questions) for name, questions in json.load(sys.stdin).items()])
print(json.dumps([sent, ended]))
"""


@pytest.mark.parametrize(
    ("scouts", "sent", "ended"),
    [
        ({}, [], {}),
        ({"idle": []}, [], {"idle": []}),
        (
            {"one": ["a", "b", "c"], "two": ["d"], "three": ["e", "f"]},
            [["a", "d", "e"], ["b", "f"], ["c"]],
            {"one": ["A", "B", "C"], "two": ["D"], "three": ["E", "F"]},
        ),
        (
            {"one": ["same", "b"], "two": ["same"], "raises": ["c"], "last": ["d", "e", "f"]},
            [["c", "d", "same"], ["b", "e"], ["f"]],
            {"one": ["SAME", "B"], "two": ["SAME"], "raises": ["C"], "last": ["D", "E", "F"]},
        ),
        (
            {"one": ["a", "broken", "never"], "two": ["b", "c", "never"]},
            [["a", "b"], ["broken", "c"]],
            {"one": ["A"], "two": ["B"]},
        ),
    ],
)
def test_what_is_asked_by_all_who_wait_is_sent_together(scouts, sent, ended):
    done = subprocess.run(
        [sys.executable, "-c", ROUNDS],
        input=json.dumps(scouts),
        cwd=PROGRAM,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert json.loads(done.stdout) == [sent, ended]


def test_a_plan_over_a_slow_link_waits_for_no_question_of_its_own(server, tmp_path):
    with delayed(server.port, ROUND_TRIP / 2) as port:
        host = Host(name="db", ssh=over_ssh(server, port=port), arguments={"root": str(tmp_path)})

        events = ask(wanted("plan", "files:site", [host]))

    (finished,) = of(Finished, events)
    assert finished.changed > 3
    assert finished.seconds < ROUND_TRIP
