"""The message of a commit, from what changes alone."""

from __future__ import annotations

import pytest

from compiler import commit
from compiler.model.index import Entry, Index, LayerFile
from compiler.model.instance import SITE
from compiler.model.names import Digest, EnvironmentName, InstanceName
from compiler.model.tree import Changes

LAYERS = (
    LayerFile("base", "environments/base/environment.yaml", Digest("0123456789abcdef" * 4)),
    LayerFile("site-a", "environments/site-a/environment.yaml", Digest("fedcba9876543210" * 4)),
)
END = (
    "Compiled by oscompile 0.1.0 from:\n"
    "  0123456789ab environments/base/environment.yaml (base)\n"
    "  fedcba987654 environments/site-a/environment.yaml (site-a)\n"
)


def index_of(files: dict[str, str | None], layers: tuple[LayerFile, ...] = LAYERS) -> Index:
    """An index of files, each with its owner."""
    entries = {
        path: Entry(Digest("0" * 64), InstanceName(owner) if owner is not None else None)
        for path, owner in files.items()
    }
    return Index(EnvironmentName("site-a"), "0.1.0", layers, entries)


def instances(*names: str, count: int = 3) -> dict[str, str | None]:
    return {f"openstack/{name}/{number}.yaml": name for name in names for number in range(count)}


def subject(changes: Changes, after: Index, before: Index | None) -> str:
    return commit.message(changes, after, before).split("\n")[0]


def test_the_whole_message() -> None:
    before = index_of({**instances("keystone", "nova"), "_cluster/a.yaml": SITE, "flux/a.yaml": None})
    after = index_of({**instances("keystone", "glance"), "_cluster/b.yaml": SITE, "flux/a.yaml": None})
    changes = Changes(
        added=tuple(sorted(["_cluster/b.yaml", *instances("glance")])),
        changed=("flux/a.yaml", "index.json", "openstack/keystone/0.yaml", "openstack/keystone/2.yaml"),
        removed=tuple(sorted(["_cluster/a.yaml", *instances("nova")])),
    )
    assert commit.message(changes, after, before) == (
        "site-a: glance added, keystone changed (2 objects), nova removed\n"
        "\n"
        "glance added (3 objects)\n"
        "  added   openstack/glance/0.yaml\n"
        "  added   openstack/glance/1.yaml\n"
        "  added   openstack/glance/2.yaml\n"
        "\n"
        "keystone changed (2 objects)\n"
        "  changed openstack/keystone/0.yaml\n"
        "  changed openstack/keystone/2.yaml\n"
        "\n"
        "nova removed (3 objects)\n"
        "  removed openstack/nova/0.yaml\n"
        "  removed openstack/nova/1.yaml\n"
        "  removed openstack/nova/2.yaml\n"
        "\n"
        "site changed (2 objects)\n"
        "  removed _cluster/a.yaml\n"
        "  added   _cluster/b.yaml\n"
        "\n"
        "delivery changed (1 file)\n"
        "  changed flux/a.yaml\n"
        "\n" + END
    )


def test_an_instance_that_loses_and_gains_objects_has_changed() -> None:
    before, after = index_of({"a/x/1.yaml": "x"}), index_of({"a/x/2.yaml": "x"})
    changes = Changes(added=("a/x/2.yaml",), removed=("a/x/1.yaml",))
    assert subject(changes, after, before) == "site-a: x changed (2 objects)"


def test_an_instance_that_moves_to_another_namespace_has_changed() -> None:
    before, after = index_of({"a/x/1.yaml": "x"}), index_of({"b/x/1.yaml": "x"})
    assert subject(Changes(added=("b/x/1.yaml",), removed=("a/x/1.yaml",)), after, before) == (
        "site-a: x changed (2 objects)"
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("_cluster/a.yaml", "site-a: site changed (1 object)"),
        ("flux/a.yaml", "site-a: delivery changed (1 file)"),
        ("index.json", "site-a: index changed"),
    ],
)
def test_where_no_instance_changes_the_subject_says_what_does(path: str, expected: str) -> None:
    index = index_of({"_cluster/a.yaml": SITE, "flux/a.yaml": None})
    assert subject(Changes(changed=(path,)), index, index) == expected


def test_an_instance_may_be_called_delivery() -> None:
    index = index_of({"a/delivery/1.yaml": "delivery"})
    assert subject(Changes(changed=("a/delivery/1.yaml",)), index, index) == "site-a: delivery changed (1 object)"


def test_instances_that_do_not_fit_into_the_subject_are_counted() -> None:
    names = [f"rabbitmq-of-service-{number}" for number in range(8)]
    before, after = index_of(instances(*names[:5])), index_of(instances(*names[3:]))
    changes = Changes(
        added=tuple(instances(*names[5:])),
        changed=tuple(instances(names[3], count=1)),
        removed=tuple(instances(*names[:3])),
    )
    assert subject(changes, after, before) == "site-a: 3 instances added, 1 changed, 3 removed (19 objects)"


def test_a_first_commit_counts_everything_as_added() -> None:
    after = index_of(instances(*(f"instance-{number}" for number in range(100))))
    assert subject(Changes(added=tuple(after.files)), after, None) == "site-a: 100 instances added (300 objects)"


def test_a_large_message_stays_short_enough_to_read() -> None:
    layers = tuple(LayerFile(f"layer-{number}", f"overlays/{number}.yaml", Digest("0" * 64)) for number in range(500))
    after = index_of(instances(*(f"instance-{number:03}" for number in range(500)), count=50), layers)
    lines = commit.message(Changes(added=tuple(sorted(after.files))), after).splitlines()
    assert len(lines) < 500
    assert "  ... and 40 more" in lines
    assert "... and 470 more" in lines
    assert lines[-1] == "  ... and 470 more"


def test_no_line_of_the_subject_is_too_long() -> None:
    for count in range(1, 40):
        after = index_of(instances(*(f"instance-{number}" for number in range(count)), count=7))
        assert len(subject(Changes(added=tuple(after.files)), after, None)) <= 72
