"""Files go up and come down as they are, as the user who is asked for, with nothing in between."""

from __future__ import annotations

import os
from io import BytesIO, StringIO

import pytest

from tests.pulumi_pyinfra.sshd import running

from .hosts import QUICK, connected, host, target

EVERY_BYTE = bytes(range(256))


@pytest.mark.parametrize("user", [{}, {"_sudo": True}], ids=["user", "sudo"])
@pytest.mark.parametrize("size", [0, 1, 5_000, 65_536, 65_537, 65_538, 8_000_000])
def test_a_file_is_the_same_after_the_way_there_and_back(there, tmp_path, size, user):
    content = (EVERY_BYTE * (size // 256 + 1))[:size]
    back = BytesIO()

    assert there.put_file(BytesIO(content), f"{tmp_path}/it's a %s \\ file", **user)
    assert there.get_file(f"{tmp_path}/it's a %s \\ file", back, **user)

    assert (tmp_path / "it's a %s \\ file").read_bytes() == content
    assert back.getvalue() == content


def test_text_and_names_of_files_are_taken_too(there, tmp_path):
    (tmp_path / "source").write_text("é\n")

    assert there.put_file(StringIO("é\n"), f"{tmp_path}/from-text")
    assert there.put_file(str(tmp_path / "source"), f"{tmp_path}/from-name")
    with (tmp_path / "source").open() as opened:
        assert there.put_file(opened, f"{tmp_path}/from-opened")
    assert there.get_file(f"{tmp_path}/from-text", str(tmp_path / "back"))

    names = ("from-text", "from-name", "from-opened", "back")
    assert {(tmp_path / name).read_text() for name in names} == {"é\n"}


def test_a_file_that_exists_keeps_its_mode_and_loses_its_rest(there, tmp_path):
    file = tmp_path / "file"
    file.write_text("long before")
    file.chmod(0o600)

    there.put_file(BytesIO(b"short"), str(file))

    assert (file.read_text(), file.stat().st_mode & 0o777) == ("short", 0o600)


def test_another_user_writes_and_reads_what_only_that_user_may(there, tmp_path):
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    private = tmp_path / "private"
    private.mkdir(0o700)
    os.chown(private, 65534, 65534)
    back = BytesIO()

    assert there.put_file(BytesIO(b"x"), f"{private}/f", _sudo=True, _sudo_user="nobody")
    assert there.get_file(f"{private}/f", back, _su_user="nobody", _su_shell="sh")

    assert ((private / "f").stat().st_uid, back.getvalue()) == (65534, b"x")


def test_what_the_host_refuses_is_an_error_in_its_words(there, tmp_path):
    with pytest.raises(OSError, match="nonexistent"):
        there.put_file(BytesIO(b"x"), f"{tmp_path}/missing/file")
    with pytest.raises(OSError, match="No such file"):
        there.get_file(f"{tmp_path}/missing", BytesIO())
    with pytest.raises(OSError, match="nonexistent"):
        there.put_file(BytesIO(b"x" * 100_000), f"{tmp_path}/missing/file")
    assert not there.put_file(BytesIO(b"x"), f"{tmp_path}/missing/file", _sudo=True)
    assert not there.get_file(f"{tmp_path}/missing", BytesIO(), _sudo=True)


def test_a_file_that_can_no_longer_be_read_here_does_not_look_whole_there(there, tmp_path):
    class Torn(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 300_000:
                raise OSError("torn")
            return super().read(size)

    with pytest.raises(OSError, match="torn"):
        there.put_file(Torn(b"x" * 1_000_000), f"{tmp_path}/file")


def test_no_copy_lies_on_the_host_meanwhile(tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    seen = []

    class Watched(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            seen.append(list(scratch.iterdir()))
            return super().read(size)

    with (
        running(tmp_path, QUICK[0], f"{QUICK[1]} TMPDIR={scratch}") as sshd,
        connected(host(target(sshd))) as one,
    ):
        for size in (10, 1_000_000):
            one.put_file(Watched(b"x" * size), f"{tmp_path}/file", _sudo=True)
        one.get_file(f"{tmp_path}/file", BytesIO(), _sudo=True)

    assert len(seen) > 3
    assert not any(seen)
    assert not list(scratch.iterdir())
