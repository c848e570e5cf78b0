"""What pydantic found wrong, said in the words of a stack file.

What was expected is read from the model's own JSON schema, so that a message and an editor's
hint never differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from .faults import Fault, Path, shown

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

Schema = Mapping[str, object]

_SHORT_LIST = 8
"""A longer list of keys would hide the one that was meant."""

_WRONG = {
    "missing": "is missing",
    "greater_than": "{} is too small",
    "greater_than_equal": "{} is too small",
    "less_than": "{} is too large",
    "less_than_equal": "{} is too large",
    "string_too_long": "{} is too long",
    "too_short": "is empty",
    "string_too_short": "is empty",
}
_FORMATS = {
    "ipv4": "an IPv4 address like 192.168.15.20",
    "ipv4network": "a network like 192.168.15.0/24",
    "uri": "a URL like https://host.example.com/",
}
_TYPES = {
    "boolean": "true or false",
    "string": "text",
    "object": "a mapping",
    "array": "a list",
}


def explain(path: Path, adapter: TypeAdapter[object], error: ValidationError) -> Iterator[Fault]:
    """Yield one fault per key below ``path`` that pydantic refused."""
    schema = adapter.json_schema()
    seen: set[Path] = set()
    for detail in error.errors(include_url=False):
        inner, node = _locate(schema, detail["loc"])
        if detail["type"] == "extra_forbidden":
            stranger = str(detail["loc"][-1])
            yield unknown_key((*path, *inner, stranger), list(_properties(node, schema)))
        # Each branch of a union reports the same value once more, and a list whose entries are all
        # refused is also reported as too short.
        elif inner not in seen and not (detail["type"] == "too_short" and detail["input"]):
            seen.add(inner)
            wrong = _WRONG.get(detail["type"], "{} is not valid").format(shown(detail["input"]))
            yield Fault((*path, *inner), wrong, _expected(node, schema))


def unknown_key(path: Path, known: list[str]) -> Fault:
    """Return the fault of a key that nobody reads, with the one that was probably meant."""
    meant = get_close_matches(str(path[-1]), known, n=1)
    others = [key for key in known if key not in meant]
    if not meant:
        expected = f"one of {', '.join(others)}"
    elif others and len(others) <= _SHORT_LIST:
        expected = f"{meant[0]}, or one of {', '.join(others)}"
    else:
        expected = meant[0]
    return Fault(path, "is not a known key", expected)


def _locate(schema: Schema, loc: Path) -> tuple[Path, Schema]:
    """Return how far ``loc`` leads in the file, and the schema of what stands there.

    pydantic appends the branch of a union that it tried; the file has no branches.
    """
    path: Path = ()
    node = schema
    for step in loc:
        inner = _child(node, step, schema)
        if inner is None:
            break
        path, node = (*path, step), inner
    return path, node


def _child(node: Schema, step: str | int, root: Schema) -> Schema | None:
    for branch in _branches(node, root):
        if isinstance(step, int):
            inner = branch.get("items")
        else:
            inner = _properties(branch, root).get(step) or branch.get("additionalProperties")
        if isinstance(inner, Mapping):
            return inner
    return None


def _properties(node: Schema, root: Schema) -> Mapping[str, object]:
    for branch in _branches(node, root):
        properties = branch.get("properties")
        if isinstance(properties, Mapping):
            return properties
    return {}


def _branches(node: Schema, root: Schema) -> list[Schema]:
    """Return what a value may be: the node itself, what it refers to, or each of a union."""
    reference, union = node.get("$ref"), node.get("anyOf")
    if isinstance(reference, str):
        definitions = root["$defs"]
        assert isinstance(definitions, Mapping)  # noqa: S101 - pydantic's own output
        return _branches(definitions[reference.removeprefix("#/$defs/")], root)
    if isinstance(union, list):
        return [found for branch in union for found in _branches(branch, root)]
    return [] if node.get("type") == "null" else [node]


def _expected(node: Schema, root: Schema) -> str:
    phrases = [_phrase({**branch, **_example(node)}) for branch in _branches(node, root)]
    return " or ".join(phrases)


def _example(node: Schema) -> Schema:
    return {"examples": node["examples"]} if "examples" in node else {}


def _phrase(node: Schema) -> str:
    """Return what one branch of a schema asks for."""
    choices, examples = node.get("enum"), node.get("examples")
    if isinstance(choices, list):
        return f"one of {', '.join(map(str, choices))}"
    if "const" in node:
        return str(node["const"])
    if isinstance(examples, list):
        return f"something like {examples[0]}"
    if node.get("type") in {"integer", "number"}:
        return _number(node)
    phrase = _FORMATS.get(str(node.get("format"))) or _TYPES.get(str(node.get("type")), "a value")
    return f"{phrase} that is not empty" if _lower_bound(node) else phrase


def _lower_bound(node: Schema) -> bool:
    return any(f"min{what}" in node for what in ("Items", "Length", "Properties")) and (
        "format" not in node
    )


def _number(node: Schema) -> str:
    kind = "a whole number" if node["type"] == "integer" else "a number"
    low, above, high = (node.get(k) for k in ("minimum", "exclusiveMinimum", "maximum"))
    if low is not None and high is not None:
        return f"{kind} from {low} to {high}"
    if low is not None:
        return f"{kind}, {low} or more"
    return kind if above is None else f"{kind} above {above}"
