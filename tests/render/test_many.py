"""Many instances at once: in order, from the cache, in any executor, and each failure told."""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from compiler import render
from compiler.cache import Store
from compiler.errors import InputError
from compiler.model.diagnostic import Diagnostic, Related, Severity
from compiler.model.manifest import Bundle, Manifest, ObjectId, Reference, Workload
from compiler.model.names import ComponentName, InstanceName
from compiler.model.node import Origin
from compiler.model.render import RenderedFile, RenderRequest
from compiler.model.site import Kubernetes
from compiler.render import EmbeddedRenderer
from compiler.render.charts import ChartFiles
from compiler.render.entry import decode, encode
from compiler.workers import Workers
from tests.render.worlds import config_map, demo, request

NAMES = [f"demo-{number}" for number in range(30)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one chart, which fails for an instance that is told to."""
    text = config_map(
        "{{ .Release.Name }}", "{{ with .Values.fail }}{{ fail . }}{{ end }}\ndata: {a: {{ quote .Values.a }}}\n"
    )
    return demo(tmp_path, {"x.yaml": text}, **{"values.yaml": "a: ü\n"})


@dataclass
class Counting:
    """A renderer that counts, to see what the cache spares."""

    rendered: list[str] = field(default_factory=list)
    identity: str = "counting"

    def render(self, asked: RenderRequest, files: ChartFiles | None = None) -> tuple[RenderedFile, ...]:
        """As the embedded engine does."""
        self.rendered.append(asked.instance)
        return EmbeddedRenderer().render(asked, files)


class RefuseB:
    """A judge of bundles: nobody may be called b, and what b rendered is not kept; c is warned."""

    def __call__(self, rendered: Bundle) -> tuple[Diagnostic, ...]:
        """What is wrong with it."""
        if rendered.instance == "b":
            return (Diagnostic("no b", Origin("b.yaml"), code="OS999"),)
        return (Diagnostic("careful", code="OS998", severity=Severity.WARNING),) if rendered.instance == "c" else ()

    def may_keep(self, said: tuple[Diagnostic, ...]) -> bool:
        """Whether it may be stored."""
        return all(diagnostic.code != "OS999" for diagnostic in said)


def names(bundles: tuple[Bundle, ...]) -> list[str]:
    return [bundle.instance for bundle in bundles]


def test_what_is_in_the_cache_is_not_rendered(root: Path, tmp_path: Path) -> None:
    """Once when it is new (nothing in the chart names chance, clock or order), and then never again."""
    requests = [request(root, instance=name) for name in ("a", "b", "c")]
    counting, store = Counting(), Store(tmp_path / "cache")
    cold = render.render_all(requests, renderer=counting, cache=store)
    assert counting.rendered == ["a", "b", "c"]
    warm = render.render_all(requests, renderer=counting, cache=Store(tmp_path / "cache"))
    assert len(counting.rendered) == 3
    assert warm == cold == render.render_all(requests, renderer=counting)


def test_a_compile_from_the_cache_never_loads_the_engine(root: Path, tmp_path: Path, repository: Path) -> None:
    """Nor the machinery of processes: both cost more than the whole compile."""
    requests = [request(root, instance=name) for name in NAMES[:2]]
    render.render_all(requests, renderer=EmbeddedRenderer(), cache=Store(tmp_path / "cache"))
    asked = pickle.dumps((requests, tmp_path / "cache"))
    script = (
        "import pickle, sys; from compiler import render; from compiler.cache import Store\n"
        f"requests, cache = pickle.loads({asked!r})\n"
        "render.render_all(requests, renderer=render.EmbeddedRenderer(), cache=Store(cache))\n"
        "assert not {'helm_python', 'concurrent.futures.process', 'multiprocessing'} & set(sys.modules), sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=repository, check=True)


CHANGES = {
    "the values": {"values": '{"a":"other"}'},
    "the chart": {"chart_digest": "0" * 64},
    "the name": {"instance": "other"},
    "the namespace": {"namespace": "other"},
    "the version of Kubernetes": {"kubernetes": Kubernetes("1.34", ("example.org/v1",))},
    "its API versions": {"kubernetes": Kubernetes("1.35", ())},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_whatever_decides_the_output_decides_the_entry(change: dict[str, object], root: Path, tmp_path: Path) -> None:
    """A changed input is rendered anew, and only that one."""
    counting, store, asked = Counting(), Store(tmp_path / "cache"), request(root, instance="a")
    render.render_all([asked], renderer=counting, cache=store)
    counting.rendered.clear()
    render.render_all([asked, replace(asked, **change)], renderer=counting, cache=store)  # type: ignore[arg-type]
    assert len(counting.rendered) == 1


def test_another_engine_or_other_rules_are_another_entry(root: Path, tmp_path: Path) -> None:
    """The engine's identity, and what the caller says of its rules."""
    store, asked = Store(tmp_path / "cache"), [request(root, instance="a")]
    for counting, salt in ((Counting(), ""), (Counting(identity="another"), ""), (Counting(), "other rules")):
        render.render_all(asked, renderer=counting, cache=store, salt=salt)
        assert len(counting.rendered) == 1
        render.render_all(asked, renderer=counting, cache=store, salt=salt)
        assert len(counting.rendered) == 1


def test_a_damaged_cache_costs_time_and_nothing_else(root: Path, tmp_path: Path) -> None:
    """Every entry cut short: the same bundles, and whole entries afterwards."""
    requests = [request(root, instance=name) for name in ("a", "b")]
    cold = render.render_all(requests, renderer=EmbeddedRenderer(), cache=Store(tmp_path / "cache"))
    for entry in (tmp_path / "cache" / "entries").iterdir():
        entry.write_bytes(entry.read_bytes()[:-3])
    counting = Counting(identity=EmbeddedRenderer().identity)
    assert render.render_all(requests, renderer=counting, cache=Store(tmp_path / "cache")) == cold
    assert len(counting.rendered) == 2


@pytest.mark.parametrize("kind", ["threads", "spawned processes"])
def test_any_executor_will_do(kind: str, root: Path) -> None:
    """Only nouns are pickled; results come in the order of the requests."""
    requests = [request(root, instance=name) for name in NAMES]
    pools: dict[str, Executor] = {
        "threads": ThreadPoolExecutor(2),
        "spawned processes": ProcessPoolExecutor(2, mp_context=get_context("spawn")),
    }
    with pools[kind] as pool:
        bundles = render.render_all(requests, renderer=EmbeddedRenderer(), workers=Workers(pool))
    assert names(bundles) == NAMES


def test_many_are_rendered_in_processes_of_their_own(root: Path) -> None:
    """Without an executor, and with the engine already loaded in this process or not."""
    requests = [request(root, instance=name) for name in NAMES]
    with Workers() as workers:
        bundles = render.render_all(requests, renderer=EmbeddedRenderer(), workers=workers)
    assert names(bundles) == NAMES
    assert bundles == tuple(render.render(asked, EmbeddedRenderer()) for asked in requests)


@pytest.mark.parametrize("count", [3, 30])
def test_a_failing_instance_does_not_hide_the_others(count: int, root: Path, tmp_path: Path) -> None:
    """All failures are told, the rest is kept for the next compile."""
    failing = {NAMES[0], NAMES[count - 1]}
    requests = [
        request(root, {"fail": f"no {name}"} if name in failing else {}, instance=name) for name in NAMES[:count]
    ]
    store = Store(tmp_path / "cache")
    with pytest.raises(InputError) as said, Workers() as workers:
        render.render_all(requests, renderer=EmbeddedRenderer(), cache=store, workers=workers)
    assert sorted(diagnostic.message for diagnostic in said.value.diagnostics) == sorted(
        f"no {name}" for name in failing
    )
    assert len(list((tmp_path / "cache" / "entries").iterdir())) == count - 2


def test_only_accepted_bundles_are_stored(root: Path, tmp_path: Path) -> None:
    """What a judge refuses never reaches the disk; what he says is on the bundle, from the cache too."""
    requests = [request(root, instance=name) for name in ("a", "b", "c")]
    for _ in range(2):
        store = Store(tmp_path / "cache")
        bundles = render.render_all(requests, renderer=EmbeddedRenderer(), cache=store, accept=RefuseB())
        assert [[diagnostic.code for diagnostic in bundle.diagnostics] for bundle in bundles] == [
            [],
            ["OS999"],
            ["OS998"],
        ]
        assert len(list((tmp_path / "cache" / "entries").iterdir())) == 2


def test_a_refused_bundle_is_told_with_the_failures_of_others(root: Path) -> None:
    """An author who made two mistakes sees two."""
    requests = [request(root, {"fail": "no a"}, instance="a"), request(root, instance="b"), request(root, instance="c")]
    with pytest.raises(InputError) as said:
        render.render_all(requests, renderer=EmbeddedRenderer(), accept=RefuseB())
    assert [diagnostic.message for diagnostic in said.value.diagnostics] == ["no b", "no a"]


def test_progress_is_told_from_the_first_to_the_last(root: Path, tmp_path: Path) -> None:
    """What the cache had counts as done at once."""
    seen: list[tuple[int, int]] = []
    requests = [request(root, instance=name) for name in ("a", "b", "c")]
    store = Store(tmp_path / "cache")
    render.render_all(requests[:1], renderer=EmbeddedRenderer(), cache=store)
    render.render_all(requests, renderer=EmbeddedRenderer(), cache=store, progress=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_no_instances_are_no_work() -> None:
    """An empty site compiles."""
    assert render.render_all([], renderer=EmbeddedRenderer()) == ()


FULL = Bundle(
    InstanceName("a"),
    (
        Manifest(
            id=ObjectId("ns", "Deployment", "apps", "a"),
            api_version="apps/v1",
            template="demo/templates/x.yaml",
            metadata='{"name":"ä"}',
            body="spec:\n  text: 😀\n",
            component=ComponentName("api"),
            references=(Reference("Secret", "ns", "s", optional=True), Reference("StorageClass", "", "fast")),
            workload=Workload((("a", "b"),), (("a", "b"), ("c", "d")), (Reference("Service", "ns", "db"),)),
            selects=(),
            provides=(Reference("Secret", "ns", "made"),),
            lifecycle="create-once",
            hooks=("pre-install",),
            helm=(("helm.sh/hook", "pre-install"),),
        ),
        Manifest(id=ObjectId("", "Namespace", "", "n"), api_version="v1", template="t", metadata="{}", body=""),
    ),
    (
        Diagnostic("m", Origin("f", 2, 3), "h", (Related("r", Origin("g", 4, 5)),), "OS001", Severity.WARNING),
        Diagnostic("without a place"),
    ),
)


def test_an_entry_is_the_whole_bundle() -> None:
    """Every field of every noun comes back."""
    assert decode(encode(FULL)) == FULL
    assert decode(encode(Bundle(InstanceName("a"), ()))) == Bundle(InstanceName("a"), ())


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", b"{}", b"[]", b'{"instance": 1}', b"null\n", b'{"instance":"a","references":[[]]}']
)
def test_what_is_no_entry_is_none(payload: bytes) -> None:
    """Whatever it is."""
    assert decode(payload) is None


def test_requests_bundles_and_renderers_can_be_sent_away(root: Path) -> None:
    """To another process, or another machine."""
    asked = request(root)
    for noun in (asked, FULL, EmbeddedRenderer(), render.render(asked, EmbeddedRenderer())):
        assert pickle.loads(pickle.dumps(noun)) == noun  # noqa: S301 - our own bytes
