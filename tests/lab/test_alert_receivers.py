"""Who plays the mail server and the SMS gateway hears what it is told, over TLS alone."""

from __future__ import annotations

import http.client
import json
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from lab.alert_receivers import MAIL, WEBHOOK, mark
from lab.serve import Authority
from tests.lab.machines.conftest import ROOT

HERE = "127.0.0.87"
SECONDS = 10


@pytest.fixture
def context(tmp_path):
    return ssl.create_default_context(cafile=str(tmp_path / "authority" / "ca.pem"))


@pytest.fixture
def heard(tmp_path):
    """What was heard, read anew at each call."""
    certificate = Authority(tmp_path / "authority").issue("receivers", HERE)
    file: Path = tmp_path / "heard"
    command = [sys.executable, "-m", "lab.alert_receivers", HERE, str(certificate), str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert "STAND-IN" in process.stdout.readline()
        yield lambda: [json.loads(line) for line in file.read_text().splitlines()]
        process.terminate()


def became(heard) -> list[dict[str, object]]:
    """Return what was heard once anything was."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            return list(heard())
        except FileNotFoundError:
            time.sleep(0.02)
    raise AssertionError("nothing was heard")


def test_a_mail_is_heard_with_who_brought_it_and_no_password(heard, context):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@b.example", "c@d.example", "[FIRING:1]"
    message.set_content("it burns")

    with smtplib.SMTP(HERE, MAIL, timeout=SECONDS) as server:
        server.starttls(context=context)
        server.login("user", "canary")
        server.send_message(message)

    (mail,) = became(heard)
    assert mail["login"] == f"user {mark('canary')}"
    assert (mail["recipient"], mail["subject"]) == ("<c@d.example>", "[FIRING:1]")
    assert "it burns" in str(mail["text"])
    assert "canary" not in json.dumps(mail)


@pytest.mark.usefixtures("heard")
def test_a_mail_in_the_clear_is_refused():
    with (
        smtplib.SMTP(HERE, MAIL, timeout=SECONDS) as server,
        pytest.raises(smtplib.SMTPSenderRefused, match="come first"),
    ):
        server.sendmail("a@b.example", "c@d.example", "text")


def test_a_webhook_is_heard_with_a_digest_of_its_token(heard, context):
    connection = http.client.HTTPSConnection(HERE, WEBHOOK, context=context, timeout=SECONDS)
    body = json.dumps({"status": "firing", "alerts": []})
    connection.request("POST", "/alerts", body, {"Authorization": "Bearer canary"})
    status = connection.getresponse().status
    connection.close()

    (told,) = became(heard)
    assert status == 200
    assert (told["by"], told["path"], told["status"]) == ("webhook", "/alerts", "firing")
    assert told["shown"] == mark("canary")


@pytest.mark.usefixtures("heard")
def test_nothing_is_heard_that_is_not_encrypted():
    with socket.create_connection((HERE, WEBHOOK), timeout=SECONDS) as plain:
        plain.sendall(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        assert b"200" not in plain.recv(100)


def test_it_says_what_it_is_to_who_asks():
    words = [sys.executable, "-m", "lab.alert_receivers", "--help"]

    said = subprocess.run(words, cwd=ROOT, text=True, capture_output=True, check=True).stdout

    assert said.startswith("STAND-IN")
