"""Which rows of a live database must be in a copy of it."""

from __future__ import annotations

from hosts.on_machine.backups import rows

STOCK = "16|400|3|columns|public.stock"


class Server:
    """Answers as a server with one table does."""

    def __init__(self, *words: str, table: str = STOCK) -> None:
        self.words = words
        self.table = table
        self.asked: list[str] = []

    def __call__(self, text: str, database: str) -> str:
        self.asked.append(text)
        if text == rows.DATABASES:
            return "cold_db"
        assert database == "cold_db"
        return self.table if text == rows.TABLES else "\n".join(self.words)


def test_a_row_that_is_not_in_the_copy_is_counted():
    live, copy = Server("a", "b", "b"), Server("a", "b", "of later")

    told = rows.compared(live, copy, 12.5)

    assert told == {"tables": 1, "rows": 3, "skipped": 0, "missing": 1}
    assert "to_timestamp(12.5)" in live.asked[-1]
    assert "to_timestamp" not in copy.asked[-1]


def test_a_table_that_was_altered_or_rewritten_since_is_skipped_and_said_so():
    for other in (STOCK.replace("400", "401"), STOCK.replace("columns", "more")):
        told = rows.compared(Server("a"), Server(table=other), 1)
        assert (told["skipped"], told["tables"], told["missing"]) == (1, 0, 0)


def test_rows_of_a_table_that_the_copy_does_not_have_are_missing():
    assert rows.compared(Server("a"), Server(table=""), 1)["missing"] == 1


def test_a_small_table_is_taken_whole_and_a_large_one_in_stretches():
    large = list(rows.stretches(5000))

    assert list(rows.stretches(1000)) == ["true"]
    assert len(set(large)) == rows.STRETCHES
    assert all("t.ctid >= " in where for where in large)
