"""What is asked of a host, by chance: commands with their arguments, files, a deploy."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO, StringIO
from random import Random
from typing import Any

from pyinfra.api.deploy import deploy
from pyinfra.operations import files, server

# Nothing that cuts a text inside of a letter: pyinfra's own loses what is not UTF-8, ours does not.
PARTS = (
    "echo {word}",
    "echo {word} >&2",
    "printf '%s' {word}",
    "printf '{word}\\n\\n\\n'",
    "cat",
    "cat >&2",
    "cksum",
    "wc -c",
    'read line; echo "<$line>"',
    "exit {number}",
    "(exit {number})",
    "exec false",
    "set -e; false; echo not reached",
    "no-such-command",
    "cd / && pwd",
    'echo "$A|$B|$HOME|$USER|$SUDO_USER"',
    "env | sort | grep -c '^[AB]='",
    "seq 1 {number}00",
    "seq 1 {number}00 >&2",
    "for i in 1 2 3; do echo $i; echo e$i >&2; done",
    "cat <<EOF\n{word}\nEOF",
    "echo {word} # a comment",
    "echo $(( {number} * 7 ))",
    "echo 'never closed",
    "test -t 0 || echo no terminal",
    "umask",
    "id -un; id -Gn",
    "printf 'one\\rtwo\\tthree\\n'",
    "printf '{octal}' | od -An -tx1",
    "(true & wait; echo waited)",
    "trap 'echo bye' EXIT",
    "echo {word} | cat -",
)
NOWHERE = "/no such folder"
WORDS = ("plain", "'two words'", '"a\\"b"', "é漢😀", "'$HOME'", "\\\\", "-n", "'%s'", "a=b", "''")
JOINTS = ("; ", " && ", " || ", "\n")
SIGNS = "ab \t\r\n\\%'\"`$\0\x01\x0b\x1b\x7f\x85\u2028é漢😀"
TEXTS = ("plain", 'it\'s "new" $HOME', "é漢😀", "a=b", "two  words")
USERS: tuple[dict[str, Any], ...] = (
    {"_sudo": True},
    {"_sudo": True, "_sudo_user": "nobody"},
    {"_sudo": True, "_sudo_user": "no-such-user"},
    {"_su_user": "nobody", "_su_shell": "/bin/sh"},
)


def commands(seed: int, number: int = 25) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield commands, and how they are to be run, that follow from ``seed``."""
    chance = Random(seed)  # to be repeated, not to be secret
    for _ in range(number):
        yield _command(chance), _arguments(chance)


def _command(chance: Random) -> str:
    text = _part(chance)
    for _ in range(chance.randrange(4)):
        text += chance.choice(JOINTS) + _part(chance)
    return text


def _part(chance: Random) -> str:
    values = {
        "{word}": chance.choice(WORDS),
        "{number}": str(chance.randrange(30)),
        "{octal}": "".join(f"\\{byte:03o}" for byte in chance.randbytes(5)),
    }
    part = chance.choice(PARTS)
    for name, value in values.items():
        part = part.replace(name, value)
    return part


def _arguments(chance: Random) -> dict[str, Any]:
    signs = "".join(chance.choices(SIGNS, k=chance.choice([1, 50, 30_000])))
    inputs = ["text", ["one", "two\n", "é"], "x" * 100_000, StringIO("a\nb"), signs, signs]
    possible: dict[str, Any] = {
        "_stdin": chance.choice(inputs),
        "_env": {"A": chance.choice(WORDS), "B": "it's"},
        "_chdir": chance.choice(["/usr", NOWHERE]),
        "_shell_executable": chance.choice(["bash", None]),
        "_timeout": 60,
    }
    chosen = {name: value for name, value in possible.items() if chance.random() < 0.25}
    if chosen.get("_chdir") == NOWHERE:
        # There pyinfra's variables hold for the first line of the command only, as they do where
        # an ampersand ends it; ours hold for all.
        chosen.pop("_env", None)
    return chosen | (chance.choice(USERS) if chance.random() < 0.4 else {})


def contents(seed: int) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Yield names, what is to be in the files, and who writes them."""
    chance = Random(seed)
    for number in range(12):
        content = chance.randbytes(chance.choice([0, 1, 100, 65_536, 65_537, 300_000]))
        user = {"_sudo": True} if chance.random() < 0.3 else {}
        name = chance.choice([f"f{number}", f"missing/{number}", "f0"])
        if not user:  # pyinfra's own does not quote what it copies by sudo
            name += chance.choice(["", " 'a\" $b"])
        yield name, content, user


@deploy("By chance")
def a_deploy(folder: str, seed: int) -> None:
    """Do a little of everything, in an order and with contents that follow from ``seed``."""
    chance = Random(seed)
    files.directory(name="Folder", path=folder, mode="755")
    changed = server.shell(name="Shell", commands=["echo shell", f"echo >> {folder}/count"])
    server.shell(name="If", commands=[f"touch {folder}/if"], _if=changed.did_change)
    for number in range(14):
        _operation(chance, folder, number)


def _operation(chance: Random, folder: str, number: int) -> None:
    """Call one operation; what it makes, a later one may find."""
    which, text = chance.randrange(3), chance.choice(TEXTS)
    mode = chance.choice(["600", "640", "755"])
    how: dict[str, Any] = {"name": str(number)} | chance.choice([{}, {}, {"_sudo": True}])
    content = chance.randbytes(chance.choice([1, 1000, 250_000]))
    kinds = {
        files.put: {"src": StringIO(f"{text}\n"), "dest": f"{folder}/put{which}", "mode": mode},
        files.line: {"path": f"{folder}/line{which}", "line": text},
        files.link: {"path": f"{folder}/link{which}", "target": f"{folder}/put{which}"},
        files.block: {"path": f"{folder}/line{which}", "content": f"{text}\nbetween"},
        files.template: {"src": StringIO("{{ w }}\n"), "dest": f"{folder}/t{which}", "w": text},
        files.directory: {"path": f"{folder}/d{which}/{text}", "mode": mode},
        files.file: {"path": f"{folder}/file{which}", "present": chance.random() < 0.7},
        server.shell: {"commands": [f"echo '{number}' >> {folder}/said", "echo out; echo e >&2"]},
    }
    big = {"src": BytesIO(content), "dest": f"{folder}/big{which}", "mode": mode}
    operation, arguments = chance.choice([*kinds.items(), (files.put, big)])
    operation(**how, **arguments)
