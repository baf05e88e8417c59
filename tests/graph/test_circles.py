"""A circle is drawn, with an arrow, a reason and a place for each edge."""

from __future__ import annotations

import pytest

from compiler.errors import InputError
from tests.graph.worlds import Need, Offer, Part, Thing, World, world

HINT = (
    "  try: take one of these away: `gate: none` for a requirement whose address is needed at run time only, "
    "`components: [...]` to say which components need it, or an `after` less in a contract"
)


def refusal(site: World) -> str:
    with pytest.raises(InputError) as caught:
        site.plan()
    return str(caught.value)


def test_a_circle_inside_a_contract() -> None:
    parts = (Part("one", after=("two",)), Part("two", after=("one",)), Part("behind", after=("two",)))
    assert refusal(world(Thing("a", parts))) == (
        "error: the order of a site must have a beginning, but 2 of its components wait for one another in a circle "
        "(`a -> b` says that a waits for b)\n"
        "  a/one -> a/two, because its contract puts it after `two`\n"
        "  --> charts/a/component.yaml:10:3\n"
        "  a/two -> a/one, because its contract puts it after `one`\n"
        "  --> charts/a/component.yaml:11:3\n"
        f"{HINT}"
    )


def test_a_circle_through_bindings_and_contracts() -> None:
    """Nova's API waits for neutron as a whole, and neutron for it: each edge names the line that made it."""
    nova = Thing(
        "nova", (Part("db"), Part("api", after=("db",))), needs={"network": Need("neutron")}, offer=Offer("api")
    )
    neutron = Thing(
        "neutron",
        (Part("server"), Part("rpc", after=("server",))),
        needs={"compute": Need("nova", components=("server",))},
        offer=Offer("rpc"),
    )
    assert refusal(world(nova, neutron)) == (
        "error: the order of a site must have a beginning, but 3 of its components wait for one another in a circle "
        "(`a -> b` says that a waits for b)\n"
        "  neutron/rpc -> neutron/server, because its contract puts it after `server`\n"
        "  --> charts/neutron/component.yaml:11:3\n"
        "  neutron/server -> nova/api, because its requirement `compute` is bound to `nova` (bound explicitly)\n"
        "  --> environments/tiny/neutron.yaml:20:5\n"
        "  nova/api -> neutron/rpc, because its requirement `network` is bound to `neutron` (bound explicitly)\n"
        "  --> environments/tiny/nova.yaml:20:5\n"
        f"{HINT}"
    )


def test_every_circle_is_drawn() -> None:
    """Two circles that have nothing to do with one another are two mistakes."""
    parts = (Part("one", after=("two",)), Part("two", after=("one",)))
    message = refusal(world(Thing("a", parts), Thing("b", parts)))
    assert message.count("the order of a site must have a beginning") == 2
    assert "a/one -> a/two" in message
    assert "b/one -> b/two" in message


def test_a_requirement_that_its_own_instance_meets_is_no_circle() -> None:
    """A component does not wait for itself."""
    thing = Thing("a", (Part("one"), Part("two")), needs={"own": Need("a")}, offer=Offer("one"))
    assert [(str(e.before), str(e.after)) for e in world(thing).plan().edges if e.before.instance] == [
        ("a/one", "a/two")
    ]
