"""The order of sources, and what a run leaves behind."""

import pytest

from tests.toolchain.conftest import FakeSource, a_tool
from toolchain.obtain import obtain_all


def placed(cache):
    return {
        str(path.relative_to(cache.root))
        for path in cache.root.rglob("*")
        if path.is_file() and "stamps" not in path.parts
    }


def test_the_first_source_that_can_gives_the_tool(cache, said):
    best, second = FakeSource("best"), FakeSource("second")

    (result,) = obtain_all([a_tool()], [best, second], cache, said.append)

    assert result.stamp.source == "best"
    assert (cache.bin / "hammer").read_text() == "best"
    assert second.asked == []


def test_a_failing_source_is_named_with_its_reason_and_the_next_is_tried(cache, said):
    sources = [FakeSource("best", fails="the door is shut"), FakeSource("second")]

    (result,) = obtain_all([a_tool()], sources, cache, said.append)

    assert result.stamp.source == "second"
    assert result.failures == (("best", "the door is shut"),)
    assert "hammer: not best: the door is shut" in said


def test_a_tool_without_a_source_keeps_no_other_from_being_obtained(cache, said):
    class OnlySaw(FakeSource):
        def offers(self, tool):
            return tool.name == "saw"

    hammer, saw = obtain_all([a_tool(), a_tool("saw")], [OnlySaw("best")], cache, said.append)

    assert hammer.stamp is None
    assert saw.stamp is not None


def test_a_failing_source_leaves_nothing_in_place(cache, said):
    obtain_all([a_tool()], [FakeSource("best", fails="broken")], cache, said.append)

    assert placed(cache) == set()


def test_an_interrupted_run_leaves_nothing_and_the_next_finishes_it(cache, said):
    class Interrupted(FakeSource):
        def obtain(self, tool, staging, say):
            super().obtain(tool, staging, say)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        obtain_all([a_tool()], [Interrupted("best")], cache, said.append)
    assert placed(cache) == set()

    (result,) = obtain_all([a_tool()], [FakeSource("best")], cache, said.append)
    assert result.fresh


def test_no_source_sees_a_killed_runs_leftovers(cache, said):
    leftover = cache.root / "partial" / "killed"
    leftover.parent.mkdir(parents=True)
    leftover.write_text("half")

    class Looks(FakeSource):
        def obtain(self, tool, staging, say):
            assert list(staging.iterdir()) == []
            return super().obtain(tool, staging, say)

    obtain_all([a_tool()], [Looks("best")], cache, said.append)

    assert placed(cache) == {"bin/hammer"}


def test_a_second_run_asks_no_source_and_says_nothing(cache, said):
    source = FakeSource("best")
    obtain_all([a_tool()], [source], cache, said.append)
    said.clear()

    (result,) = obtain_all([a_tool()], [source], cache, said.append)

    assert source.asked == ["hammer"]
    assert said == []
    assert not result.fresh


@pytest.mark.parametrize("change", ["version", "recipe", "content", "absence"])
def test_what_is_no_longer_as_recorded_is_obtained_anew(cache, said, change):
    source, tool = FakeSource("best"), a_tool()
    obtain_all([tool], [source], cache, said.append)
    if change == "version":
        tool = a_tool(version="1.2.4")
    elif change == "recipe":
        source.told = "another"
    elif change == "content":
        (cache.bin / "hammer").write_text("evil")
    else:
        (cache.bin / "hammer").unlink()

    (result,) = obtain_all([tool], [source], cache, said.append)

    assert result.fresh


def test_a_touched_file_of_the_same_content_is_left_alone(cache, said):
    source = FakeSource("best")
    obtain_all([a_tool()], [source], cache, said.append)
    (cache.bin / "hammer").touch()

    (result,) = obtain_all([a_tool()], [source], cache, said.append)

    assert not result.fresh


def test_an_optional_tool_is_asked_for_once_and_then_only_again(cache, said):
    source, tool = FakeSource("best", fails="shut"), a_tool(only_for="nails")
    for _ in range(2):
        obtain_all([tool], [source], cache, said.append)
    assert source.asked == ["hammer"]

    source.fails = ""
    (result,) = obtain_all([tool], [source], cache, said.append, again=True)
    assert result.fresh


def test_again_tries_the_better_sources_and_keeps_what_is_there_if_they_fail(cache, said):
    best, second = FakeSource("best", fails="shut"), FakeSource("second")
    obtain_all([a_tool()], [best, second], cache, said.append)

    (kept,) = obtain_all([a_tool()], [best, second], cache, said.append, again=True)
    assert (kept.stamp.source, kept.fresh) == ("second", False)

    best.fails = ""
    (better,) = obtain_all([a_tool()], [best, second], cache, said.append, again=True)
    assert (better.stamp.source, better.fresh) == ("best", True)
    assert second.asked == ["hammer"]


def test_the_build_cache_is_gone_after_a_run(cache, said):
    (cache.root / "go-build").mkdir()

    obtain_all([a_tool()], [FakeSource("best")], cache, said.append)

    assert not (cache.root / "go-build").exists()
