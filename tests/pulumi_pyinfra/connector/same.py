"""Does the same through pyinfra's own connector and ours, in a process like the worker's.

``python -m tests.pulumi_pyinfra.connector.same commands|files|deploy SEED`` with the server on
standard input; prints, as JSON, each thing that was done and what came of it on both ways.
"""

from gevent import monkey

monkey.patch_all()

# pyinfra must be imported after the patch.
import json  # noqa: E402
import sys  # noqa: E402
from hashlib import sha256  # noqa: E402
from io import BytesIO  # noqa: E402
from pathlib import Path  # noqa: E402
from types import SimpleNamespace  # noqa: E402
from typing import Any  # noqa: E402

from pyinfra.api.connect import connect_all, disconnect_all  # noqa: E402
from pyinfra.api.deploy import add_deploy  # noqa: E402
from pyinfra.api.host import Host  # noqa: E402
from pyinfra.api.operations import run_ops  # noqa: E402
from pyinfra.facts.files import File, FindFiles, Sha256File  # noqa: E402
from pyinfra.facts.server import Groups, Hostname, LinuxDistribution, Users, Which  # noqa: E402

from pulumi_pyinfra.connector import FramedSshConnector  # noqa: E402

from .by_chance import a_deploy, commands, contents  # noqa: E402
from .hosts import host, host_of_pyinfra, run, target  # noqa: E402


def say_commands(one: Host, seed: int, _: Path) -> list[Any]:
    """Run all commands of a seed, and one that takes too long."""
    asked = [*commands(seed), ("echo begun; sleep 5", {"_timeout": 0.3})]
    return [[c, *sorted(a), *_patiently(one, c, a)] for c, a in asked]


def _patiently(one: Host, command: str, arguments: dict[str, Any]) -> tuple[Any, ...]:
    """Try again: pyinfra's own may break when a command ends before it has read its input."""
    for _ in range(20):
        try:
            return run(one, command, **arguments)
        except TimeoutError:
            return ("too long",)
        except OSError:
            if isinstance(one.connector, FramedSshConnector):
                raise
    raise RuntimeError(command)


def say_files(one: Host, seed: int, folder: Path) -> list[Any]:
    """Send and fetch files of random sizes and bytes."""
    said = []
    for name, content, user in contents(seed):
        back = BytesIO()
        outcome = [name, repr(user)]
        for step in (
            lambda to=str(folder / name), u=user, c=content: one.put_file(BytesIO(c), to, **u),
            lambda at=str(folder / name), u=user, b=back: one.get_file(at, b, **u),
        ):
            try:
                outcome.append(step())
            except OSError:
                outcome.append("OSError")
        said.append([*outcome, back.getvalue() == content])
    return [said, tree(folder)]


def say_deploy(one: Host, seed: int, folder: Path) -> list[Any]:
    """Plan the deploy, run it, and plan it again; with facts of all kinds."""
    state, said = one.state, []
    for real in (True, False):
        one.op_hash_order.clear()
        state.ops[one].clear()
        state.op_meta.clear()
        state.is_executing = False
        add_deploy(state, a_deploy, folder=str(folder), seed=seed)
        metas = [state.ops[one][h].operation_meta for h in one.op_hash_order]
        names = [sorted(state.op_meta[h].names) for h in one.op_hash_order]
        said.append([[n, meta.will_change] for n, meta in zip(names, metas, strict=True)])
        if real:
            run_ops(state)
            said.append([[meta.did_succeed(), meta.stdout_lines] for meta in metas])
    said.append(tree(folder))
    file = str(folder / "count")
    users = one.get_fact(Users)
    said.append([[name, user["uid"], user["home"], user["shell"]] for name, user in users.items()])
    for fact, more in (
        (Groups, {}),
        (Hostname, {}),
        (LinuxDistribution, {}),
        (Which, {"command": "sh"}),
        (Sha256File, {"path": file}),
        (FindFiles, {"path": str(folder)}),
    ):
        said.append(repr(one.get_fact(fact, **more)).replace(str(folder), "HERE"))
    said.append(sorted((one.get_fact(File, path=file) or {}).keys() - {"mtime"}))
    return said


def tree(folder: Path) -> list[Any]:
    """What is in a folder: names, modes, owners, sizes, contents."""
    return [
        [str(p.relative_to(folder)), oct(p.lstat().st_mode), p.lstat().st_uid, hash_of(p, folder)]
        for p in sorted(folder.rglob("*"))
    ]


def hash_of(path: Path, folder: Path) -> str:
    """The content of a file, without the name of the folder that it is in."""
    if path.is_symlink():
        return str(path.readlink()).replace(str(folder), "HERE")
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def main() -> None:
    """Do it both ways."""
    what, seed = sys.argv[1], int(sys.argv[2])
    there = SimpleNamespace(**json.load(sys.stdin))
    there.folder = Path(there.folder)
    said = {}
    for name, one in (("theirs", host_of_pyinfra(there)), ("ours", host(target(there)))):
        folder = there.folder / f"{what}-{seed}-{name}"
        folder.mkdir()
        connect_all(one.state)
        said[name] = {"commands": say_commands, "files": say_files, "deploy": say_deploy}[what](
            one, seed, folder
        )
        disconnect_all(one.state)
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
