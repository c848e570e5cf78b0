"""The recording engine sees what the official mocks hide, and nothing passes unseen."""

import pulumi
import pulumi_random as random
import pytest
from pulumi.runtime.settings import SETTINGS

from tests.recording import Echo


class Box(pulumi.ComponentResource):
    """A component with one child, as careless or careful as a test wants it."""

    def __init__(self, name, opts=None, **inputs):
        super().__init__("coldstorage:tests:Box", name, {}, opts)
        self.inner = random.RandomString(
            f"{name}-inner", length=8, opts=pulumi.ResourceOptions(parent=self), **inputs
        )


def test_it_sees_the_parent_and_the_provider(deploy):
    def program():
        Box("box", pulumi.ResourceOptions(providers=[random.Provider("mine")]))

    deployed = deploy(program)

    assert deployed.named("box-inner").parent == "box"
    assert deployed.named("box-inner").provider == "mine"


def test_it_sees_that_a_resource_has_a_default_provider(deploy):
    assert deploy(lambda: Box("box").inner.id).named("box-inner").provider is None


def test_it_sees_options(deploy):
    def program():
        first = random.RandomString("first", length=1)
        random.RandomString(
            "second",
            length=1,
            opts=pulumi.ResourceOptions(
                protect=True,
                retain_on_delete=True,
                delete_before_replace=True,
                ignore_changes=["length"],
                replace_on_changes=["special"],
                replace_with=[first],
                deleted_with=first,
                depends_on=[first],
                aliases=[pulumi.Alias(name="formerly")],
            ),
        )

    second = deploy(program).named("second")

    assert second.protected
    assert second.retained
    assert second.delete_before_replace
    assert second.ignored == {"length"}
    assert second.replaced_on == {"special"}
    assert second.replaced_with == {"first"}
    assert second.deleted_with == "first"
    assert second.dependencies == {"first"}
    assert second.aliases == {"formerly"}


def test_it_sees_which_inputs_are_secret_however_deep(deploy):
    def program():
        secret = pulumi.Output.secret("x")
        random.RandomString("s", length=1, keepers={"open": "y", "deep": secret})

    assert deploy(program).named("s").secrets == {"keepers.deep"}


def test_a_look_up_that_nobody_announced_is_an_error(deploy):
    def program():
        return pulumi.runtime.invoke("some:index:getThing", {}).value

    with pytest.raises(Exception, match="some:index:getThing was called"):
        deploy(program)


def test_an_announced_look_up_is_answered(deploy):
    def program():
        return pulumi.runtime.invoke("some:index:getThing", {}).value["size"]

    assert deploy(program, echo=Echo({"some:index:getThing": {"size": 3}})).result == 3


def test_a_result_that_never_becomes_known_fails_instead_of_passing_silently(deploy):
    with pytest.raises(AssertionError, match="never became known"):
        deploy(lambda: Box("box").inner.result, preview=True)


def test_an_assertion_inside_apply_is_not_lost(deploy):
    def program():
        return Box("box").inner.length.apply(lambda length: pytest.fail(f"length is {length}"))

    with pytest.raises(pytest.fail.Exception, match="length is 8"):
        deploy(program)


def test_no_run_leaves_anything_to_the_next(deploy):
    deploy(lambda: Box("box").inner.id, stack="one")

    assert pulumi.get_stack() == "stack"
    assert [r.name for r in deploy(lambda: None).resources] == []


def test_what_a_failed_run_left_unfinished_is_not_the_next_one_s_to_await(deploy):
    unfinished = []

    for _ in range(2):
        deploy(lambda: unfinished.append(SETTINGS.outputs))

    assert unfinished[0] is not unfinished[1]
