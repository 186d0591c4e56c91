"""What every broker promises."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
from dramatiq import Message

from s3tui.queues.broker import publish
from s3tui.queues.messages import unit_envelope
from tests.queues.bench import JOB, Bench, Taker, working
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)


@contextmanager
def ended(child: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Kill a child at the end of the block, whatever happened in it."""
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def test_a_message_arrives_once(bench: Bench) -> None:
    taker = Taker()
    bench.send(1)
    with working(bench.open(), [bench.queue], taker):
        wait_until(lambda: taker.taken == [1], what="the message")
    bench.send(2)
    with working(bench.open(), [bench.queue], taker):
        wait_until(lambda: 2 in taker.taken, what="the message sent later")
    assert taker.taken == [1, 2]


def test_a_message_sent_to_a_worker_that_waits_arrives(bench: Bench) -> None:
    taker = Taker()
    with working(bench.open(), [bench.queue], taker):
        bench.send(1)
        wait_until(lambda: taker.taken == [1], what="the first message")
        bench.send(2)
        wait_until(lambda: taker.taken == [1, 2], what="the second message")


def test_messages_arrive_in_the_order_they_were_sent(bench: Bench) -> None:
    taker = Taker()
    bench.send(*range(20))
    with working(bench.open(), [bench.queue], taker):
        wait_until(lambda: len(taker.taken) == 20, what="all messages")
    assert taker.taken == list(range(20))


def test_messages_of_a_lower_priority_number_arrive_first(bench: Bench) -> None:
    taker = Taker()
    for priority in (5, 0, -4, 1):
        bench.send(priority, priority=priority)
    with working(bench.open(), [bench.queue], taker):
        wait_until(lambda: len(taker.taken) == 4, what="all messages")
    assert taker.taken == [-4, 0, 1, 5]


def test_a_delayed_message_arrives_after_its_delay_and_does_not_hold_up_others(bench: Bench) -> None:
    taker = Taker()
    broker = bench.open()
    with working(broker, [bench.queue], taker):
        before = time.monotonic()
        broker.enqueue(Message.decode(unit_envelope(bench.queue, JOB, 1).body), delay=1000)
        publish(broker, unit_envelope(bench.queue, JOB, 2).body)
        wait_until(lambda: 1 in taker.taken, what="the delayed message")
        assert time.monotonic() - before >= 0.99
    assert taker.taken == [2, 1]


def test_a_message_whose_worker_is_killed_arrives_again(bench: Bench) -> None:
    taker = Taker()
    bench.send(7)
    with ended(bench.child("hold", lease=1.0)) as child:
        wait_until(bench.lines, timeout=20, what="the child to take the message")
        child.kill()
        child.wait()
    with working(bench.open(), [bench.queue], taker):
        wait_until(lambda: taker.taken == [7], what="the message, again")


def test_two_processes_share_a_queue_and_no_message_is_taken_twice(bench: Bench) -> None:
    with ExitStack() as children:
        pids = {children.enter_context(ended(bench.child("meet"))).pid for _ in range(2)}
        bench.send(*range(200))
        wait_until(lambda: len(bench.lines()) >= 200, timeout=60, what="all messages")
    assert sorted(unit_no for _pid, unit_no in bench.lines()) == list(range(200))
    assert {pid for pid, _unit_no in bench.lines()} == pids


def test_a_message_that_was_fetched_but_not_begun_goes_back_when_the_worker_stops(bench: Bench) -> None:
    taker = Taker()
    taker.go.clear()
    bench.send(1, 2)
    with working(bench.open(), [bench.queue], taker) as worker:
        wait_until(lambda: taker.begun == [1] and worker.work_queue.qsize() == 1, what="one message begun, one fetched")
        stopping = threading.Thread(target=worker.stop)
        stopping.start()
        wait_until(lambda: not worker.workers[0].running, what="the worker to be told")
        taker.go.set()
        stopping.join(10)
    assert taker.taken == [1]
    with working(bench.open(), [bench.queue], taker):
        wait_until(lambda: taker.taken == [1, 2], timeout=5, what="the other message, long before a lease ends")


def test_a_message_whose_actor_fails_is_tried_again(bench: Bench) -> None:
    tries: list[int] = []

    def take(job_id: str, unit_no: int) -> None:
        tries.append(unit_no)
        if len(tries) < 3:
            raise OSError("the database is away")

    bench.send(4)
    with working(bench.open(), [bench.queue], take):
        wait_until(lambda: len(tries) == 3, what="the third try")
    assert tries == [4, 4, 4]


def test_one_actor_takes_units_from_several_queues(bench: Bench) -> None:
    taker, other = Taker(), replace(bench, queue=bench.queue + "_b")
    bench.send(1)
    other.send(2)
    with working(bench.open(), [bench.queue, other.queue], taker):
        wait_until(lambda: sorted(taker.taken) == [1, 2], what="a message from each queue")


def test_an_idle_worker_stops_within_a_second(bench: Bench) -> None:
    taker = Taker()
    bench.send(1)
    with working(bench.open(), [bench.queue], taker, threads=2, worker_timeout=200):
        wait_until(lambda: taker.taken == [1], what="the worker to be up")
        before = time.monotonic()
    assert time.monotonic() - before < 1
