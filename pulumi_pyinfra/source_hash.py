"""A hash of all that a deploy is made of, so that an edit of it is a change of the resource.

It is the deploy's import closure inside of its top-level package, found without importing
anything, and the files that modules of the closure name:

- a string in a module that is the relative path of a file or folder, seen from the module's
  folder, from its package or from the program, or from a ``templates/`` folder in one of these;
- an f-string is a pattern: ``f"{name}.conf.j2"`` stands for all files ``*.conf.j2`` there;
- what such a template includes, extends or imports by a literal name.

Comments do not count; all else of a named file does. A name that is put together in another way
(``"a" + b``) is not seen: write it as an f-string.
"""

from __future__ import annotations

import ast
import hashlib
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

_INCLUDED = re.compile(rb"""\{%-?\s*(?:include|extends|import|from)\s+["']([^"']+)["']""")
# A folder of this name is searched in, never meant as a whole.
_TEMPLATES = "templates"
_NEVER = {"", ".", "..", _TEMPLATES}


def of_deploy(deploy: str, program: Path) -> str:
    """Return the hash of a deploy, given as ``package.module:function``, below a program's folder.

    What is not there or can't be read as Python is no error here; the worker will name it.
    """
    digest = hashlib.sha256()
    for path in sorted(files_of(deploy, program)):
        content = path.read_bytes()
        if path.suffix == ".py":
            content = _without_comments(content)
        name = path.relative_to(program.resolve()).as_posix()
        digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def files_of(deploy: str, program: Path) -> set[Path]:
    """Return the files that a deploy is made of."""
    program = program.resolve()
    module = deploy.partition(":")[0]
    package = module.partition(".")[0]
    todo, seen = [module], set[str]()
    files: set[Path] = set()
    while todo:
        name = todo.pop()
        path = _file(program, name)
        if name in seen or path is None:
            continue
        seen.add(name)
        files.add(path)
        tree = _parsed(path)
        # Importing a module runs the packages that it is in.
        names = {*_parents(name), *_imported(tree, name, is_package=path.name == "__init__.py")}
        todo += [n for n in names if n.partition(".")[0] == package]
        files |= _named(tree, _folders(path.parent, program / package, program))
    return files


def _file(program: Path, module: str) -> Path | None:
    base = program.joinpath(*module.split("."))
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in candidates if path.is_file()), None)


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _parents(module: str) -> Iterator[str]:
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


def _imported(tree: ast.Module, module: str, *, is_package: bool) -> Iterator[str]:
    """Yield the modules that a tree may import; names of functions among them are no files."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            inside = module.split(".")
            kept = len(inside) - node.level + is_package
            base = [*inside[:kept], node.module] if node.level else [node.module]
            origin = ".".join(part for part in base if part)
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def _folders(*places: Path) -> list[Path]:
    return [folder for place in places for folder in (place, place / _TEMPLATES)]


def _named(tree: ast.Module, folders: list[Path]) -> set[Path]:
    """Return the files that strings of a module name, and what these include."""
    found: set[Path] = set()
    todo = [pattern for node in ast.walk(tree) if (pattern := _pattern(node))]
    while todo:
        pattern = todo.pop()
        for path in (match for folder in folders for match in _matching(folder, pattern)):
            if path not in found:
                found.add(path)
                todo += [_literal(name.decode()) for name in _INCLUDED.findall(path.read_bytes())]
    return found


def _pattern(node: ast.AST) -> str | None:
    """Return what a string or an f-string may name, as a pattern of file names."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _literal(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = [
            _literal(str(v.value)) if isinstance(v, ast.Constant) else "*" for v in node.values
        ]
        pattern = "".join(parts)
        # One that only consists of what is filled in could name anything.
        return pattern if pattern.strip("*/.") else None
    return None


def _literal(text: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", text)


def _matching(folder: Path, pattern: str) -> Iterator[Path]:
    if pattern in _NEVER or pattern.startswith("/") or "\n" in pattern or "\0" in pattern:
        return
    try:
        matches = list(folder.glob(pattern))
    except (ValueError, NotImplementedError, OSError):
        return
    for match in matches:
        inside = match.rglob("*") if match.is_dir() else [match]
        yield from (p.resolve() for p in inside if p.is_file() and "__pycache__" not in p.parts)


def _without_comments(source: bytes) -> bytes:
    """Return Python source without its comments, and without the lines that were nothing else."""
    try:
        tokens = list(tokenize.tokenize(io.BytesIO(source).readline))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return source
    text = source.decode(tokens[0].string)
    lines: list[str | None] = list(text.splitlines())
    for token in tokens:
        if token.type == tokenize.COMMENT:
            row, column = token.start
            before = (lines[row - 1] or "")[:column].rstrip()
            lines[row - 1] = before or None
    return "\n".join(line for line in lines if line is not None).encode()
