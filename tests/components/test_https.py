"""A connection that the other side ended meanwhile is made anew, and looked at anew."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from contextlib import contextmanager

import pytest
import trustme

from components.https import ApiError, JsonApi, WrongCertificateError
from lab.serve import Authority, fingerprint

IDLE_SECONDS = 0.05


class Impatient(http.server.BaseHTTPRequestHandler):
    """Answers, and ends a connection that says nothing for a moment."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        self.server.seen.append((self.client_address[1], self.headers["Authorization"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Tells when a connection is really closed."""

    def shutdown_request(self, request) -> None:
        super().shutdown_request(request)
        self.ended.release()


@contextmanager
def impatient(pem):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = Server(("127.0.0.1", 0), Impatient)
    server.seen, server.ended, server.context = [], threading.Semaphore(0), context
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def pem(tmp_path):
    return Authority(tmp_path / "authority").issue("server")


def asking(server, pinned: str) -> JsonApi:
    endpoint = f"https://127.0.0.1:{server.server_address[1]}"
    return JsonApi(endpoint, headers={"Authorization": "canary"}, fingerprint=pinned)


def test_calls_in_a_row_share_a_connection(pem, monkeypatch):
    monkeypatch.setattr(Impatient, "timeout", 30)
    with impatient(pem) as server, asking(server, fingerprint(pem)) as api:
        assert api.get("/") == api.get("/") == {}

    assert len({port for port, _ in server.seen}) == 1


def test_a_connection_that_was_ended_while_idle_is_made_anew(pem):
    with impatient(pem) as server, asking(server, fingerprint(pem)) as api:
        api.get("/")
        assert server.ended.acquire(timeout=5)

        assert api.get("/") == {}

    assert len({port for port, _ in server.seen}) == 2


def test_another_host_behind_a_new_connection_is_sent_nothing(pem):
    another = trustme.CA().issue_cert("127.0.0.1")
    with impatient(pem) as server, asking(server, fingerprint(pem)) as api:
        api.get("/")
        assert server.ended.acquire(timeout=5)
        another.configure_cert(server.context)

        with pytest.raises(WrongCertificateError):
            api.get("/")

    assert len(server.seen) == 1


def test_nobody_there_any_more_is_an_error_in_plain_words():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = JsonApi(f"https://127.0.0.1:{free.getsockname()[1]}", headers={})

        with pytest.raises(ApiError, match="can't be reached"), nobody:
            pass
