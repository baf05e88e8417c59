"""What the layers of a site come to: which layer wins, what an instance is, what the site says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from compiler import environment, layers
from compiler.documents.schema import Memory
from compiler.errors import InputError, UsageError
from compiler.model.names import Digest
from compiler.model.node import MapNode, Node
from compiler.model.site import ArgoCD, Declaration, Flux, Site
from compiler.model.topology import Capacity, Reach, StorageClass

if TYPE_CHECKING:
    from pytest_golden.plugin import GoldenTestFixture

    from tests.conftest import World

CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/values.yaml": "size: chart\nprobe: {port: 80, path: /}\nhosts: [a]\nextra: {}\nnothing: null\n",
    "charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n",
}
HEAD = 'kubernetes: {version: "1.35"}\nsecrets: {backend: external-secrets, store: vault}\n'


def document(kind: str, name: str, more: str = "") -> str:
    return f"apiVersion: oscompile/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\n{more}"


def component_overlay(values: str, chart: str = "web") -> str:
    return f"apiVersion: oscompile/v1alpha1\nkind: ComponentOverlay\nchart: {chart}\nvalues: {values}\n"


def compiled(world: World, site: str, *settings: str, more: dict[str, str] | None = None) -> Site:
    world.write({**CHART, "environments/site/environment.yaml": document("Environment", "site", HEAD + site)})
    world.write(more or {})
    return layers.merge(environment.find(world.root, "site"), tuple(layers.setting(text) for text in settings))


def instance(site: Site, name: str = "a") -> Declaration:
    return next(declaration for declaration in site.declarations if declaration.name == name)


def value(site: Site, *path: str, name: str = "a") -> Node:
    found = instance(site, name).values.get(*path)
    assert found is not None
    return found


STACK = [
    ("the chart's own values", "charts/web/values.yaml", "size: %s\n"),
    ("the base's defaults", "environments/base/environment.yaml", "defaults: {web: {size: %s}}\n"),
    ("the base's instance", "environments/base/environment.yaml", "instances: {a: {chart: web, values: {size: %s}}}\n"),
    ("the site's defaults", "environments/site/environment.yaml", "defaults: {web: {size: %s}}\n"),
    ("the site's instance", "environments/site/environment.yaml", "instances: {a: {chart: web, values: {size: %s}}}\n"),
    ("the overlay's defaults", "overlays/ha/overlay.yaml", "defaults: {web: {size: %s}}\n"),
    ("the overlay's instance", "overlays/ha/overlay.yaml", "instances: {a: {values: {size: %s}}}\n"),
    ("the first component overlay", "overlays/web/one.yaml", "chart: web\nvalues: {size: %s}\n"),
    ("the second component overlay", "overlays/web/two.yaml", "chart: web\nvalues: {size: %s}\n"),
]


def stacked(world: World, height: int) -> Site:
    """A site in which the lowest ``height`` rows of ``STACK`` speak, and the others are silent."""
    files = {
        "environments/base/environment.yaml": document("Environment", "base", "abstract: true\noverlays: [ha]\n"),
        "environments/site/environment.yaml": document("Environment", "site", f"extends: [base]\n{HEAD}"),
        "overlays/ha/overlay.yaml": document("Overlay", "ha", "instances: {a: {chart: web, overlays: [one, two]}}\n"),
        "overlays/web/one.yaml": "apiVersion: oscompile/v1alpha1\nkind: ComponentOverlay\n",
        "overlays/web/two.yaml": "apiVersion: oscompile/v1alpha1\nkind: ComponentOverlay\n",
        "charts/web/values.yaml": "",
    }
    texts: dict[str, dict[str, str]] = {}
    for rank, (_, file, text) in enumerate(STACK[:height]):
        key, _, rest = text.partition(":")
        if "ComponentOverlay" in files[file]:
            files[file] += text % rank
        else:
            texts.setdefault(file, {})[key] = rest.strip() % rank
    if "instances" in texts.get("overlays/ha/overlay.yaml", {}):
        texts["overlays/ha/overlay.yaml"]["instances"] = "{a: {chart: web, overlays: [one, two], values: {size: 6}}}"
        files["overlays/ha/overlay.yaml"] = document("Overlay", "ha")
    for file in ("overlays/web/one.yaml", "overlays/web/two.yaml"):
        files[file] += "" if "chart:" in files[file] else "chart: web\n"
    for file, keys in texts.items():
        files[file] += "".join(f"{key}: {rest}\n" for key, rest in keys.items())
    world.write({**CHART, **files})
    return layers.merge(environment.find(world.root, "site"))


@pytest.mark.parametrize("height", range(1, len(STACK) + 1), ids=[row[0] for row in STACK])
def test_each_layer_lies_over_all_that_are_lower(world: World, height: int) -> None:
    """The order of DESIGN: chart, then per environment defaults and instance, overlays, component overlays."""
    size = value(stacked(world, height), "size")
    assert size.data() == height - 1
    files = [row[1] for row in STACK[:height]]
    assert [node.origin.file for node in (size, *size.overrode)] == files[::-1]


def test_a_setting_has_the_last_word(world: World) -> None:
    """It lies over everything, and says so."""
    site = compiled(world, "instances: {a: {chart: web, values: {size: site}}}\n", "a.size=line")
    size = value(site, "size")
    assert size.data() == "line"
    assert [str(node.origin) for node in (size, *size.overrode)] == [
        "--set:1:8",
        "environments/site/environment.yaml:6:44",
        "charts/web/values.yaml:1:7",
    ]


@pytest.mark.parametrize(
    ("setting", "path", "expected"),
    [
        ("a.probe.port=0o644", ("probe",), {"port": 420, "path": "/"}),
        ('a.probe.path="0644"', ("probe",), {"port": 80, "path": "0644"}),
        ("a.hosts[0]=b", ("hosts",), ["b"]),
        ("a.hosts[1]=b", ("hosts",), ["a", "b"]),
        ("a.hosts[0]=null", ("hosts",), []),
        ("a.hosts=[x, z]", ("hosts",), ["x", "z"]),
        ("a.extra.list[0].name=m", ("extra",), {"list": [{"name": "m"}]}),
        (r"a.extra.example\.org/zone=on", ("extra",), {"example.org/zone": True}),
        ("a.size=", ("size",), ""),
        ("a.size=a=b", ("size",), "a=b"),
        ("a.size=x: y # z", ("size",), "x: y # z"),
        ("a.size=null", ("size",), None),
        ("a.extra={x: {z: 1}}", ("extra",), {"x": {"z": 1}}),
        ("a.fresh.deep=1e3", ("fresh",), {"deep": 1000}),
    ],
)
def test_a_setting_means_what_it_would_in_a_file(
    world: World, setting: str, path: tuple[str, ...], expected: object
) -> None:
    """Keys, list items, escapes, and YAML's scalars."""
    site = compiled(world, "instances: {a: {chart: web}}\n", setting)
    assert value(site, *path).data() == expected


def test_later_settings_lie_over_earlier_ones(world: World) -> None:
    """And each may build on what the one before it made."""
    site = compiled(world, "instances: {a: {chart: web}}\n", "a.hosts[1]=b", "a.hosts[2]=c", "a.hosts[0]=z")
    assert value(site, "hosts").data() == ["z", "b", "c"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a.size", "it has no `=`"),
        ("size=1", "it must name an instance, a dot and a path"),
        (".size=1", "it must name an instance, a dot and a path"),
        ("a.=1", "it must name an instance, a dot and a path"),
        ("a.b..c=1", "its path cannot be read from `.c` on"),
        ("a.b[x]=1", "its path cannot be read from `[x]` on"),
        ("a.b[0]c=1", "its path cannot be read from `c` on"),
        (
            "a.b={x",
            "its value is not YAML: the file is not YAML: while parsing a flow mapping did not find expected ',' or '}'",
        ),
    ],
)
def test_a_setting_that_cannot_be_read_is_a_fault_of_the_command_line(text: str, reason: str) -> None:
    """The whole message, with an example."""
    with pytest.raises(UsageError) as failure:
        layers.setting(text)
    assert str(failure.value) == (
        f"error: `--set {text}` cannot be understood: {reason}\n  try: `--set keystone.replicas.api=5`"
    )


def test_every_chart_reads_what_the_site_says_of_itself(world: World) -> None:
    """As ``global``: over the chart's own, under the user's."""
    site = compiled(
        world,
        "site: {region: RegionOne, release: '2026.1'}\ndevelopment: true\n"
        "instances: {a: {chart: web, values: {global: {region: RegionTwo}}}, b: {chart: db}}\n",
        more={"charts/web/values.yaml": "global: {region: '', own: 1}\n"},
    )
    expected = {"region": "RegionOne", "release": "2026.1", "development": True}
    assert value(site, "global").data() == {**expected, "region": "RegionTwo", "own": 1}
    assert value(site, "global", name="b").data() == expected
    assert site.globals.data() == expected
    assert site.development


def test_a_site_is_not_a_development_one_unless_it_says_so(world: World) -> None:
    """Charts can rely on the switch being there."""
    site = compiled(world, "instances: {a: {chart: web}}\n")
    assert (site.development, value(site, "global").data()) == (False, {"development": False})


def test_what_the_site_says_reaches_the_compiler(world: World) -> None:
    """Cluster, secrets and delivery, with defaults where the site is silent."""
    site = compiled(
        world,
        "delivery: {repository: {url: 'https://git.example.org/x.git'}, argocd: {granularity: site}, flux: {}}\n",
    )
    assert (site.kubernetes.version, site.kubernetes.api_versions) == ("1.35", ())
    assert (site.secrets.backend, site.secrets.store, site.secrets.store_kind) == (
        "external-secrets",
        "vault",
        "ClusterSecretStore",
    )
    assert (site.delivery.output, site.delivery.url, site.delivery.revision) == (
        "rendered/site",
        "https://git.example.org/x.git",
        "main",
    )
    assert (site.delivery.argocd, site.delivery.flux) == (ArgoCD(granularity="site"), Flux())


def test_an_engine_that_a_higher_layer_deletes_is_gone(world: World) -> None:
    """Null deletes in the site's own keys too."""
    base = document("Environment", "base", "abstract: true\ndelivery: {argocd: {}, flux: {}, output: rendered/x}\n")
    site = compiled(
        world, "extends: [base]\ndelivery: {flux: null}\n", more={"environments/base/environment.yaml": base}
    )
    assert (site.delivery.argocd, site.delivery.flux, site.delivery.output) == (ArgoCD(), None, "rendered/x")


def test_a_base_is_not_what_it_makes_of_others(world: World) -> None:
    """``abstract`` and the name belong to the document alone."""
    base = document("Environment", "base", "abstract: true\n")
    site = compiled(world, "extends: [base]\n", more={"environments/base/environment.yaml": base})
    assert site.document.entries.keys() == {"kubernetes", "secrets"}
    assert site.layers == ("base", "site")


def test_instances_are_declared_by_any_layer(world: World) -> None:
    """In order of name, each with its place, namespace, bindings and overlays."""
    site = compiled(
        world,
        "namespace: cloud\noverlays: [more]\ninstances:\n"
        "  b:\n    chart: web\n    namespace: other\n    default: true\n    bindings: {database: db, cache: null}\n"
        "  a: {chart: web, overlays: [small]}\n",
        more={
            "overlays/more/overlay.yaml": document("Overlay", "more", "instances:\n  db: {chart: charts/db}\n"),
            "overlays/web/small.jsonnet": "{apiVersion: 'oscompile/v1alpha1', kind: 'ComponentOverlay', chart: 'web',\n"
            " values: {size: 'small'}}",
        },
    )
    assert [declaration.name for declaration in site.declarations] == ["a", "b", "db"]
    first, second, third = site.declarations
    assert (first.namespace, first.overlays, str(first.origin)) == (
        "cloud",
        ("overlays/web/small",),
        "environments/site/environment.yaml:14:3",
    )
    assert str(value(site, "size").origin) == "overlays/web/small.jsonnet:2:11"
    assert (second.namespace, second.default) == ("other", True)
    assert {name: node.data() for name, node in second.bindings.items()} == {"database": "db", "cache": None}
    assert (third.chart, third.chart_path, str(third.origin)) == ("db", "charts/db", "overlays/more/overlay.yaml:5:3")


def test_an_instance_that_a_higher_layer_deletes_is_gone(world: World) -> None:
    """And one that comes back after that starts from the chart's own values."""
    base = document(
        "Environment", "base", "abstract: true\ninstances: {a: {chart: web, values: {size: base}}, b: {chart: web}}\n"
    )
    more = document("Overlay", "more", "instances: {a: {chart: web}}\n")
    site = compiled(
        world,
        "extends: [base]\noverlays: [more]\ninstances: {a: null, b: !delete }\n",
        more={"environments/base/environment.yaml": base, "overlays/more/overlay.yaml": more},
    )
    assert [declaration.name for declaration in site.declarations] == ["a"]
    assert value(site, "size").data() == "chart"


@pytest.mark.parametrize("values", ["null", "!replace {probe: {port: 1}}"])
def test_values_of_lower_layers_can_be_dropped_whole(world: World, values: str) -> None:
    """What is left are the chart's own values, its defaults, and what the same layer says."""
    base = document("Environment", "base", "abstract: true\ninstances: {a: {chart: web, values: {size: base}}}\n")
    site = compiled(
        world,
        f"extends: [base]\ndefaults: {{web: {{extra: {{x: 1}}}}}}\ninstances: {{a: {{values: {values}}}}}\n",
        more={"environments/base/environment.yaml": base},
    )
    port = 80 if values == "null" else 1
    expected = {"size": "chart", "probe": {"port": port, "path": "/"}, "hosts": ["a"], "extra": {"x": 1}}
    found = {key: node.data() for key, node in instance(site).values.entries.items()}
    assert found == {**expected, "nothing": None, "global": {"development": False}}


def test_a_deleted_default_of_the_chart_stays_as_null_and_any_other_leaves_no_trace(world: World) -> None:
    """Helm must be told to drop a default; a null for a value that it never had would reach the templates."""
    base = document(
        "Environment", "base", "abstract: true\nsite: {old: 1}\ninstances: {a: {chart: web, values: {mine: {x: 1}}}}\n"
    )
    site = compiled(
        world,
        "extends: [base]\nsite: {old: null}\ninstances: {a: {values: {mine: {x: null}, probe: null, other: null}}}\n",
        more={"environments/base/environment.yaml": base},
    )
    values = instance(site).values
    assert values.data() == {
        "size": "chart",
        "probe": None,
        "hosts": ["a"],
        "extra": {},
        "nothing": None,
        "mine": {},
        "global": {"development": False},
    }
    assert values.entries["probe"].overrode[0].data() == {"port": 80, "path": "/"}


def test_values_for_a_subchart_keep_null_because_only_helm_knows_its_defaults(world: World) -> None:
    """Under the name, or the alias, by which the chart depends on it."""
    site = compiled(
        world,
        "instances: {a: {chart: web, values: {sub: {x: null}, twin: {x: null}, other: {x: null}}}}\n",
        more={
            "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n"
            "  - {name: sub, version: 1.0.0}\n  - {name: sub, alias: twin, version: 1.0.0}\n"
        },
    )
    found = instance(site).values
    assert [node.data() for node in (found.get("sub"), found.get("twin"), found.get("other")) if node is not None] == [
        {"x": None},
        {"x": None},
        {},
    ]


def test_instances_share_what_they_have_in_common(world: World) -> None:
    """A thousand instances of a chart do not hold a thousand copies of its values."""
    site = compiled(
        world, "defaults: {web: {size: 1}}\ninstances: {a: {chart: web}, b: {chart: web, values: {size: 2}}}\n"
    )
    assert value(site, "probe") is value(site, "probe", name="b")


def test_one_repository_gives_one_site(world: World) -> None:
    """Two runs are equal, origins and all."""
    text = "site: {region: R}\ninstances: {b: {chart: web, values: {hosts: !append [x]}}, a: {chart: db}}\n"
    first, second = compiled(world, text, "a.x=1"), compiled(world, text, "a.x=1")
    assert first == second
    assert isinstance(first.document, MapNode)


def test_a_document_that_is_remembered_as_valid_is_not_held_against_its_schema_again(world: World) -> None:
    """Only valid documents are remembered, and a changed one is another one."""
    remembered: set[Digest] = set()
    asked: list[Digest] = []

    def known_good(key: Digest) -> bool:
        asked.append(key)
        return key in remembered

    memory = Memory(known_good, remembered.add)
    compiled(world, "instances: {a: {chart: web}}\n")
    found = environment.find(world.root, "site")
    layers.merge(found, (), memory)
    assert set(asked) == remembered
    world.write({"environments/site/environment.yaml": document("Environment", "site", HEAD + "sites: {}\n")})
    for _ in range(2):
        with pytest.raises(InputError):
            layers.merge(environment.find(world.root, "site"), (), memory)
    assert len(remembered) == 1


@pytest.mark.golden_test("bad/*.yaml")
def test_a_mistake_is_told_with_its_place_and_what_to_try(golden: GoldenTestFixture, world: World) -> None:
    """Each file of ``bad/``: what a small site says, more files, settings, and the whole message."""
    golden.get("about")
    with pytest.raises(InputError) as failure:
        compiled(world, golden["site"], *golden.get("settings", []), more=golden.get("files", {}))
    assert golden.out["error"] == str(failure.value)


def test_charts_see_what_their_pods_may_run_on(world: World) -> None:
    """Counts, zones, labels and taints of the hosts are global values, with their places; the rest is not theirs."""
    site = compiled(
        world,
        "topology: {hosts: [{count: 2, zone: a, labels: {role: db}, capacity: {cpu: 8, memory: 64Gi}}]}\n"
        "instances: {a: {chart: web}}\n",
    )
    hosts = value(site, "global", "topology", "hosts")
    assert hosts.data() == [{"count": 2, "zone": "a", "labels": {"role": "db"}}]
    assert hosts.origin.file == "environments/site/environment.yaml"
    assert site.topology is not None
    assert site.topology.hosts[0].capacity == Capacity(8000, 64 * 1024**3)


def test_a_storage_class_reaches_as_far_as_it_says(world: World) -> None:
    """By name, or as the default one; of any other the site says nothing."""
    site = compiled(
        world,
        "topology: {hosts: [{count: 1, zone: a}], storageClasses: {ssd: {reach: zone, zones: [a], default: true}}}\n",
    )
    assert site.topology is not None
    assert site.topology.storage_class("") == StorageClass("ssd", Reach.ZONE, ("a",), default=True)
    assert site.topology.storage_class("hdd") is None
