"""Which broker a URL gives, what is said when there is none, and what a message holds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from s3tui.errors import ConfigError, QueueError
from s3tui.queues.broker import open_broker
from s3tui.queues.messages import UNIT_ACTOR, unit_envelope
from s3tui.queues.options import QueueOptions
from s3tui.queues.rabbitmq import open_rabbitmq, tuned
from s3tui.queues.sqlite import SQLiteBroker
from tests.queues.bench import Bench

SECRET = "s3kret"


def test_sqlite_is_the_default_and_lies_in_the_state_file(tmp_path: Path) -> None:
    broker = open_broker(QueueOptions().url, state_file=tmp_path / "state.db")
    assert isinstance(broker, SQLiteBroker)


def test_amqp_is_rabbitmq(rabbitmq: Bench) -> None:
    broker = open_broker(rabbitmq.where, state_file=None)
    assert type(broker).__name__ == "RabbitmqBroker"
    broker.close()


def test_the_sqlite_queue_needs_an_sqlite_state() -> None:
    with pytest.raises(ConfigError, match=r"set queue\.url to amqp://"):
        open_broker("sqlite", state_file=None)


@pytest.mark.parametrize(
    "url",
    [
        f"redis://user:{SECRET}@host",
        f"amqp://user:{SECRET}/@host",
        f"amqp://user:1;{SECRET}@host",
        f"amqp://user:{SECRET}@host?heartbeat=often",
        f"amqp://user:{SECRET}@host?unknown=1",
    ],
)
def test_a_url_that_cannot_be_used_is_a_sentence_without_the_password(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^queue\.url .*amqp://USER:PASSWORD@HOST") as caught:
        open_broker(url, state_file=None)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("password", [SECRET, f"1%2F{SECRET}", f"1/{SECRET}@{SECRET}"])
def test_an_unreachable_server_is_a_sentence_without_the_password(password: str) -> None:
    with pytest.raises(
        QueueError, match=r"^The queue at amqp://user:\*{8}@127\.0\.0\.1:1/\?connection_attempts=1 cannot be reached: .+\.$"
    ) as caught:
        open_rabbitmq(f"amqp://user:{password}@127.0.0.1:1/?connection_attempts=1")
    assert SECRET not in str(caught.value)


def test_a_refused_login_says_so(rabbitmq: Bench) -> None:
    with pytest.raises(QueueError, match="Login was refused") as caught:
        open_rabbitmq(f"amqp://guest:{SECRET}@127.0.0.1:5672/?connection_attempts=1")
    assert SECRET not in str(caught.value)


def test_what_the_user_wrote_in_the_url_goes_before_our_tuning() -> None:
    ours = {"heartbeat": "60", "connection_attempts": "1"}
    assert tuned("amqp://h/v?heartbeat=5&locale=de%2FDE", ours) == "amqp://h/v?heartbeat=5&connection_attempts=1&locale=de%2FDE"


def test_a_missing_client_library_names_the_command_that_installs_it() -> None:
    program = (
        "import sys; sys.modules['pika'] = None\n"
        "from s3tui.queues.broker import open_broker\n"
        "try: open_broker('amqp://guest@127.0.0.1', state_file=None)\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.startswith("ConfigError ")
    assert "pip install 's3tui[cluster]'" in said


def test_settings_and_messages_do_not_load_dramatiq() -> None:
    program = "import sys, s3tui.queues.options, s3tui.queues.messages; print({'dramatiq'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "set()"


def test_unknown_options_are_refused() -> None:
    with pytest.raises(ValidationError):
        QueueOptions.model_validate({"uri": "sqlite"})


def test_a_message_is_json_and_holds_the_two_ids() -> None:
    envelope = unit_envelope("upload", "01JOB", 17, priority=-4)
    body = json.loads(envelope.body)
    assert (envelope.queue, envelope.priority) == ("s3tui.upload.v1", -4)
    assert (body["queue_name"], body["actor_name"], body["args"]) == ("s3tui.upload.v1", UNIT_ACTOR, ["01JOB", 17])
    assert body["options"] == {"broker_priority": 9}


@pytest.mark.parametrize("priority", [-5, 6])
def test_a_priority_that_rabbitmq_cannot_hold_is_refused(priority: int) -> None:
    with pytest.raises(ValueError, match="between -4 and 5"):
        unit_envelope("upload", "01JOB", 1, priority)
