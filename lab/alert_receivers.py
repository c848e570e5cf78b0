"""STAND-IN for who is told of alerts: a mail server, and a gateway that sends SMS to people.

``python -m lab.alert_receivers ADDRESS CERTIFICATE HEARD``: mail over TLS (STARTTLS) with login at
port 10587, a webhook over HTTPS at 10443. Nobody gets anything: what came is a line of JSON in the
file ``HEARD``, with a digest where a password or token was shown.
"""

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
import hashlib
import json
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

MAIL, WEBHOOK = 10587, 10443
Tell = Callable[..., None]


async def main(address: str, certificate: str, heard: Path) -> None:
    """Listen until told to end."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def tell(**what: object) -> None:
        with heard.open("a") as file:
            print(json.dumps(what), file=file)

    mails = await asyncio.start_server(
        lambda reader, writer: _Mail(reader, writer, context, tell).serve(), address, MAIL
    )
    hooks = await asyncio.start_server(
        lambda reader, writer: _webhook(reader, writer, tell), address, WEBHOOK, ssl=context
    )
    print(f"STAND-IN for a mail server and an SMS gateway at {address}: nobody is told", flush=True)
    async with mails, hooks:
        await asyncio.gather(mails.serve_forever(), hooks.serve_forever())


def mark(secret: str) -> str:
    """Return by what a secret is known again, without being told."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


async def _webhook(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tell: Tell) -> None:
    try:
        while first := await reader.readline():
            headers = email.message_from_bytes(await reader.readuntil(b"\r\n\r\n"))
            body = await reader.readexactly(int(headers.get("Content-Length", "0")))
            shown = headers.get("Authorization", "").removeprefix("Bearer ")
            told = json.loads(body)
            tell(by="webhook", path=first.split()[1].decode(), shown=mark(shown), **told)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
    except asyncio.IncompleteReadError:
        pass
    finally:
        writer.close()


class _Mail:
    """One who brings mails."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        context: ssl.SSLContext,
        tell: Tell,
    ) -> None:
        self._reader, self._writer, self._context, self._tell = reader, writer, context, tell
        self._encrypted, self._login, self._envelope = False, "", dict[str, str]()

    async def serve(self) -> None:
        self._say("220 STAND-IN for a mail server")
        try:
            while line := (await self._reader.readline()).decode().strip():
                verb, _, rest = line.partition(" ")
                if verb.upper() == "QUIT":
                    self._say("221 bye")
                    return
                await self._answer(verb.upper(), rest)
                await self._writer.drain()
        finally:
            self._writer.close()

    async def _answer(self, verb: str, rest: str) -> None:
        if verb in {"EHLO", "HELO"}:
            self._say("250-STAND-IN", "250 AUTH PLAIN" if self._encrypted else "250 STARTTLS")
        elif verb == "STARTTLS":
            self._say("220 go on")
            await self._writer.start_tls(self._context)
            self._encrypted = True
        elif verb == "AUTH" and self._encrypted:
            _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
            self._login = f"{user} {mark(password)}"
            self._say("235 come in")
        elif verb in {"MAIL", "RCPT"} and self._login:
            self._envelope[verb] = rest.partition(":")[2].partition(" ")[0]
            self._say("250 yes")
        elif verb == "DATA":
            self._say("354 go on")
            text = await self._reader.readuntil(b"\r\n.\r\n")
            self._keep(text)
            self._say("250 kept")
        else:
            self._say("530 STARTTLS and AUTH come first")

    def _keep(self, text: bytes) -> None:
        message = email.message_from_bytes(text, policy=email.policy.default)
        part = message.get_body(("plain", "html"))
        self._tell(
            by="mail",
            login=self._login,
            sender=self._envelope["MAIL"],
            recipient=self._envelope["RCPT"],
            subject=message["Subject"],
            text=part.get_content() if part else "",
        )

    def _say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())


if __name__ == "__main__":
    if "--help" in sys.argv:
        print(__doc__)
        sys.exit(0)
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
