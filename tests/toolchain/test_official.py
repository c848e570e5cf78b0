"""Downloads are verified, and a closed machine is found out once."""

import hashlib
import io
import tarfile
import threading
import urllib.error
from dataclasses import replace
from email.message import Message

import pytest

from toolchain.network import Network
from toolchain.obtain import obtain_all
from toolchain.official import Official
from toolchain.tool import WHOLE, Download, Tool, architecture, operating_system

HERE = f"{operating_system()}-{architecture()}"
URL = "https://tools.example/hammer-1.2.3.tar.gz"
LIST = "https://tools.example/checksums.txt"


class Answer(io.BytesIO):
    def __init__(self, content, length=None):
        super().__init__(content)
        self.headers = Message()
        self.headers["Content-Length"] = str(len(content) if length is None else length)


class Server:
    """Answers from a table; everything else is not found."""

    def __init__(self, pages):
        self.pages, self.asked = pages, []

    def __call__(self, url, _timeout):
        self.asked.append(url)
        if url not in self.pages:
            raise urllib.error.HTTPError(url, 404, "Not Found", Message(), None)
        page = self.pages[url]
        return page() if callable(page) else Answer(page)


def archive(content=b"#!/bin/sh\n", name="hammer"):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def a_tool(*, pin="", checksums=""):
    return Tool(
        name="hammer",
        version="1.2.3",
        by_hand="",
        download=Download(
            url="https://tools.example/hammer-{version}.tar.gz",
            members={"hammer": "bin/hammer"},
            sha256={HERE: pin} if pin else {},
            checksums=checksums,
        ),
    )


def obtain(cache, server, *tools, network=None):
    network = network or Network(open=server)
    return obtain_all(tools, [Official(cache, network)], cache, lambda _: None)


def digest(content):
    return hashlib.sha256(content).hexdigest()


def test_an_archive_that_matches_its_pin_is_unpacked_and_executable(cache):
    packed = archive()

    (result,) = obtain(cache, Server({URL: packed}), a_tool(pin=digest(packed)))

    assert result.stamp.source == "official"
    assert (cache.bin / "hammer").read_bytes() == b"#!/bin/sh\n"
    assert (cache.bin / "hammer").stat().st_mode & 0o777 == 0o755


def test_a_download_that_is_no_archive_is_the_file(cache):
    program = b"the program"
    plain = replace(
        a_tool().download, members={WHOLE: "bin/hammer"}, sha256={HERE: digest(program)}
    )

    (result,) = obtain(cache, Server({URL: program}), replace(a_tool(), download=plain))

    assert result.stamp.source == "official"
    assert (cache.bin / "hammer").read_bytes() == program


def test_an_archive_that_differs_from_its_pin_is_refused_and_not_placed(cache):
    (result,) = obtain(cache, Server({URL: archive()}), a_tool(pin="0" * 64))

    ((source, reason),) = result.failures
    assert source == "official"
    assert f"expected {'0' * 64}" in reason
    assert not cache.bin.exists()


def test_an_archive_without_a_pin_must_match_the_releases_own_list(cache):
    packed = archive()
    for listed, accepted in ((digest(packed), True), (digest(b"other"), False)):
        server = Server({URL: packed, LIST: f"{listed}  hammer-1.2.3.tar.gz\n".encode()})
        (cache.root / "first-use.json").unlink(missing_ok=True)
        (cache.root / "stamps" / "hammer.json").unlink(missing_ok=True)

        (result,) = obtain(cache, server, a_tool(checksums=LIST))

        assert bool(result.stamp) is accepted


def test_an_archive_that_the_list_does_not_name_is_refused(cache):
    server = Server({URL: archive(), LIST: f"{digest(archive())}  saw.tar.gz\n".encode()})

    (result,) = obtain(cache, server, a_tool(checksums=LIST))

    assert result.failures == (("official", f"{LIST} does not name hammer-1.2.3.tar.gz"),)
    assert URL not in server.asked


def test_without_a_pin_or_a_list_nothing_is_downloaded(cache):
    server = Server({URL: archive()})

    (result,) = obtain(cache, server, a_tool())

    assert server.asked == []
    assert result.failures == (("official", f"no pin for {HERE}"),)


def test_a_release_that_changed_since_its_first_use_is_refused(cache):
    first, second = archive(), archive(b"changed")
    for packed in (first, second):
        (cache.root / "stamps" / "hammer.json").unlink(missing_ok=True)
        server = Server({URL: packed, LIST: f"{digest(packed)}  hammer-1.2.3.tar.gz\n".encode()})
        (result,) = obtain(cache, server, a_tool(checksums=LIST))

    assert result.stamp is None
    assert "at first use" in result.failures[0][1]
    assert URL not in server.asked


def test_a_download_that_breaks_off_leaves_nothing(cache):
    packed = archive()
    server = Server({URL: lambda: Answer(packed[:20], length=len(packed))})

    (result,) = obtain(cache, server, a_tool(pin=digest(packed)))

    assert "broke off" in result.failures[0][1]
    assert not cache.bin.exists()
    assert not (cache.root / "partial").exists()


def test_a_machine_that_cannot_connect_finds_out_once(cache):
    asked = []

    def unreachable(url, _timeout):
        asked.append(url)
        raise urllib.error.URLError("Name or service not known")

    tools = [a_tool(pin="0" * 64), a_tool(checksums=LIST)]
    results = obtain(cache, None, *tools, network=Network(open=unreachable))

    assert len(asked) == 1
    assert all("Name or service not known" in result.failures[0][1] for result in results)


def test_a_missing_page_does_not_close_the_machine(cache):
    network = Network(open=Server({}))

    (result,) = obtain(cache, None, a_tool(pin="0" * 64), network=network)

    assert "HTTP 404" in result.failures[0][1]
    assert network.closed is None


def test_a_server_that_never_answers_costs_seconds_only(cache, monkeypatch):
    monkeypatch.setattr("toolchain.network.CONNECT_SECONDS", -0.9)
    never = threading.Event()

    def silent(_url, _timeout):
        never.wait(5)
        raise urllib.error.URLError("late")

    (result,) = obtain(cache, None, a_tool(pin="0" * 64), network=Network(open=silent))
    never.set()

    assert "no answer in time" in result.failures[0][1]


def test_a_file_address_is_refused():
    with pytest.raises(Exception, match="expected an https address"):
        Network().text("file:///etc/passwd")
