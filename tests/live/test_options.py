"""`live.url`, before anything is connected to."""

from __future__ import annotations

import subprocess
import sys

import pytest

from s3tui.errors import ConfigError
from s3tui.live.line import Line
from s3tui.live.options import check_url

PASSWORD = "pa55w0rd"


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1", "redis://h:6380/3", f"rediss://me:{PASSWORD}@h/0?ssl_cert_reqs=required", "unix:///run/redis.sock"]
)
def test_what_leads_to_a_redis_is_taken(url: str) -> None:
    check_url(url)
    assert PASSWORD not in Line(url).place


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("127.0.0.1:6379", "live.url has no scheme: use redis://"),
        (f"http://:{PASSWORD}@h", "live.url begins with 'http': use redis://"),
        (f"redis://:{PASSWORD}@h:port", "live.url cannot be read"),
        (f"redis://:{PASSWORD}#@h:6379", "live.url cannot be read"),
        (f"redis://:{PASSWORD}@h/jobs", "live.url cannot be read"),
    ],
)
def test_what_does_not_is_told_without_its_password(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        check_url(url)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("query", [f"pass_word={PASSWORD}", f"db={PASSWORD}", "socket_timeout=soon"])
def test_a_query_that_the_client_does_not_know_is_found_before_work_begins(query: str) -> None:
    with pytest.raises(ConfigError, match=r"in its query only parameters that the Redis client knows") as caught:
        Line(f"redis://127.0.0.1?{query}")
    assert PASSWORD not in str(caught.value)


def test_a_missing_client_library_names_the_command_that_installs_it() -> None:
    program = (
        "import sys; sys.modules['redis'] = None\n"
        "from s3tui.live.line import Line\n"
        "try: Line('redis://127.0.0.1')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == "ConfigError live.url names a Redis, which needs its client: pip install 's3tui[cluster]'.\n"


def test_a_worker_without_a_mirror_does_not_load_the_client() -> None:
    program = "import sys, s3tui.worker, s3tui.runtime, s3tui.doctor; print({'redis'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "set()"
