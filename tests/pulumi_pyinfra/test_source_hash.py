"""An edit of what a deploy is made of is a change; an edit of anything else is none."""

from __future__ import annotations

import pytest

from pulumi_pyinfra.source_hash import files_of, of_deploy

PROGRAM = {
    "hosts/__init__.py": "",
    "hosts/web.py": """
        # What a web server is.
        from io import StringIO
        from pathlib import Path
        from . import texts
        from .shared.pages import page
        import hosts.versions
        import elsewhere
        TEMPLATE = Path(__file__).parent / "templates" / "web.conf.j2"
        def web(wanted):
            from hosts.late import thing
            return open(f"hosts/templates/unit-{wanted}.service")
    """,
    "hosts/texts.py": "FOLDER = 'pages'\n",
    "hosts/versions.py": "WEB = '1.0'\n",
    "hosts/late.py": "thing = 1\n",
    "hosts/shared/__init__.py": "from .deep import deep\n",
    "hosts/shared/deep.py": "deep = 1\n",
    "hosts/shared/pages.py": "page = 1\n",
    "hosts/other.py": "OTHER = 'other.conf'\n",
    "hosts/templates/web.conf.j2": "{% include 'part.j2' %}\n",
    "hosts/templates/part.j2": "part\n",
    "hosts/templates/other.conf": "other\n",
    "hosts/templates/unit-a.service": "a\n",
    "hosts/templates/unit-b.service": "b\n",
    "hosts/pages/index.html": "hello\n",
    "elsewhere/__init__.py": "x = 1\n",
}
INSIDE = {
    "hosts/__init__.py",
    "hosts/web.py",
    "hosts/texts.py",
    "hosts/versions.py",
    "hosts/late.py",
    "hosts/shared/__init__.py",
    "hosts/shared/deep.py",
    "hosts/shared/pages.py",
    "hosts/templates/web.conf.j2",
    "hosts/templates/part.j2",
    "hosts/templates/unit-a.service",
    "hosts/templates/unit-b.service",
    "hosts/pages/index.html",
}


@pytest.fixture
def program(tmp_path):
    for name, text in PROGRAM.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(line.removeprefix(" " * 8) for line in text.split("\n")))
    return tmp_path


def hashed(program):
    return of_deploy("hosts.web:web", program)


def test_a_deploy_is_made_of_what_it_imports_and_names(program):
    assert {str(p.relative_to(program)) for p in files_of("hosts.web:web", program)} == INSIDE


@pytest.mark.parametrize("name", sorted(INSIDE))
def test_an_edit_of_a_part_changes_the_hash(program, name):
    before = hashed(program)
    with (program / name).open("a") as file:
        file.write("\nmore = 2\n")

    assert hashed(program) != before


@pytest.mark.parametrize("name", sorted(PROGRAM.keys() - INSIDE))
def test_an_edit_of_anything_else_does_not(program, name):
    before = hashed(program)
    (program / name).write_text("changed\n")

    assert hashed(program) == before


def test_a_new_file_that_an_f_string_may_name_changes_the_hash(program):
    before = hashed(program)
    (program / "hosts/templates/unit-c.service").write_text("c\n")

    assert hashed(program) != before


def test_a_comment_does_not_count_and_a_text_that_looks_like_one_does(program):
    path = program / "hosts/versions.py"
    path.write_text("WEB = '1.0'\n")
    before = hashed(program)

    path.write_text("# why\nWEB = '1.0'  # because\n")
    commented = hashed(program)
    path.write_text("WEB = '1.0 # because'\n")

    assert commented == before
    assert hashed(program) != before


def test_the_hash_does_not_depend_on_where_the_program_is(program, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "copy"
    program.rename(elsewhere)
    there = hashed(elsewhere)
    elsewhere.rename(program)

    assert there == hashed(program)


def test_what_is_not_there_or_is_no_python_is_left_to_the_worker(program):
    (program / "hosts/web.py").write_text("def (:\n")

    assert hashed(program) != of_deploy("nowhere:web", program)
