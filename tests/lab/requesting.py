"""Requests from the lab's network to the application, and what became of each."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Address
from typing import Any

from lab.machines import Network

SECONDS = 10


@dataclass
class Asker:
    """Somebody in the lab's network, outside of the cluster."""

    network: Network
    address: IPv4Address

    def ask(self, port: int, path: str = "/", method: str = "GET") -> tuple[int, dict[str, Any]]:
        """Return the code of an answer, and what was said."""
        connection = HTTPConnection(str(self.address), port)
        connection.sock = self.network.connect(self.address, port, SECONDS)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        is_json = answer.headers.get_content_type() == "application/json"
        return answer.status, json.loads(said) if is_json else {}

    @contextmanager
    def asking(self, port: int) -> Iterator[Asked]:
        """Ask all the time, beside the block."""
        asked, ended = Asked(), threading.Event()

        def ask_on() -> None:
            while not ended.is_set():
                began = time.monotonic()
                try:
                    code, said = self.ask(port)
                    asked.pods.add(said.get("pod", ""))
                    fault = "" if code == 200 else f"code {code}"
                except (OSError, HTTPException) as error:
                    fault = repr(error)
                asked.count += 1
                if fault:
                    asked.failed.append(f"after {time.monotonic() - began:.1f} s: {fault}")
                ended.wait(0.02)

        thread = threading.Thread(target=ask_on)
        thread.start()
        try:
            yield asked
        finally:
            ended.set()
            thread.join()


@dataclass
class Asked:
    """How many requests there were, and which of them failed."""

    count: int = 0
    failed: list[str] = field(default_factory=list)
    pods: set[str] = field(default_factory=set)
