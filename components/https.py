"""JSON over HTTPS for the few questions that the program itself asks an API.

Standard library only: the providers do the real work, these are a handful of small GETs.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import select
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 5.0


class ApiError(Exception):
    """An API could not be asked, or refused to answer; never carries a credential."""


class WrongCertificateError(ApiError):
    """The other side is not who it must be; nothing was sent to it."""

    def __init__(self, host: str, presented: str, pinned: str) -> None:
        super().__init__(f"{host} presents the certificate {presented}, expected {pinned}")
        self.presented = presented


class JsonApi:
    """One kept-open connection to a JSON API.

    With a ``fingerprint`` the certificate must be exactly that one, whoever signed it, and this
    is known before the first header, and so before any credential, is sent. Without one the
    system's authorities decide.
    """

    def __init__(
        self, endpoint: str, *, headers: Mapping[str, str], fingerprint: str | None = None
    ) -> None:
        url = urlsplit(endpoint)
        self._host = url.netloc
        self._prefix = url.path.rstrip("/")
        self._headers = dict(headers)
        self._fingerprint = fingerprint
        context = ssl.create_default_context()
        if fingerprint is not None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self._connection = http.client.HTTPSConnection(
            url.hostname or "", url.port, timeout=TIMEOUT_SECONDS, context=context
        )
        # It would connect again by itself, and ask nobody for the certificate.
        self._connection.auto_open = 0
        self._answered = False

    def __enter__(self) -> Self:
        """Connect, and refuse a certificate that isn't the pinned one."""
        self._connect()
        return self

    def _connect(self) -> None:
        self._answered = False
        try:
            self._connection.connect()
        except OSError as error:
            raise ApiError(f"{self._host} can't be reached: {error}") from None
        if self._fingerprint is not None:
            presented = self._presented()
            if presented != self._fingerprint:
                self._connection.close()
                raise WrongCertificateError(self._host, presented, self._fingerprint)

    def _dropped(self) -> bool:
        """Tell whether the other side has ended an idle connection, as servers do in seconds."""
        sock = self._connection.sock
        return sock is None or (self._answered and bool(select.select([sock], [], [], 0)[0]))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._connection.close()

    def get(self, path: str) -> object:
        """Return the document at ``path``, or raise :class:`ApiError` with the API's own words."""
        return self.call("GET", path)

    def call(self, method: str, path: str, body: Mapping[str, str] | None = None) -> object:
        """Send ``body`` and return the document that answers."""
        headers = self._headers | ({"Content-Type": self.content_type} if body else {})
        if self._dropped():
            self._connection.close()
            self._connect()
        try:
            self._connection.request(
                method, self._prefix + path, self.encoded(body) if body else None, headers
            )
            answer = self._connection.getresponse()
            text = answer.read().decode(errors="replace")
            self._answered = True
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(f"{self._host} did not answer {method} {path}: {error}") from None
        if answer.status >= http.client.BAD_REQUEST:
            said = f"{answer.status} {answer.reason} {text[:200]}".strip()
            raise ApiError(f"{self._host} refused {method} {path}: {said}")
        try:
            document: object = json.loads(text)
        except json.JSONDecodeError:
            raise ApiError(f"{self._host} answered {method} {path} with no JSON") from None
        return document

    content_type = "application/json"

    def encoded(self, body: Mapping[str, str]) -> str:
        """Return a body as this API wants it."""
        return json.dumps(body)

    def _presented(self) -> str:
        sock = self._connection.sock
        assert isinstance(sock, ssl.SSLSocket)  # noqa: S101 - an HTTPSConnection has no other
        certificate = sock.getpeercert(binary_form=True) or b""
        return hashlib.sha256(certificate).digest().hex(":").upper()
