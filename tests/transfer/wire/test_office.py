"""The office that a crew works for: whoever waits for an answer hears of the end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from s3tui.errors import StorageError
from s3tui.storage.keys import FixedKeys, Keys
from s3tui.storage.site import plain_site
from s3tui.transfer.wire.office import Office
from s3tui.transfer.wire.orders import Conduct
from tests.scripted import Call, ScriptedServer
from tests.servers import Store


def test_who_waits_for_an_answer_does_not_wait_for_ever_when_the_office_closes() -> None:
    asked, over = threading.Event(), threading.Event()

    def say_nothing(_: Call) -> None:
        asked.set()
        over.wait(30)

    with ScriptedServer(say_nothing) as server, ThreadPoolExecutor(1) as pool:
        store = Store("scripted", server.url)
        site = plain_site(store.connection, store.aws)
        assert site is not None
        office = Office(site, FixedKeys(Keys("KEY", "SECRET")), Conduct(()))
        answer = pool.submit(office.ask, "HeadBucket", "HEAD", ("bucket", ""))
        assert asked.wait(30)
        office.close()
        with pytest.raises(StorageError, match="has been ended"):
            answer.result(30)
        over.set()
    with pytest.raises(StorageError, match="has been ended"):
        office.ask("HeadBucket", "HEAD", ("bucket", ""))
