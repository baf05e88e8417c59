"""The header of every helper of the library chart is an example that runs.

A header is a template comment with four keys in this order, each at the start of a line, indented lines continue it:

    abstract: one sentence or more for the reader
    values: YAML; the values that the example is rendered with
    usage: template text
    return: YAML that the rendered text must mean

Examples are rendered by a chart `example` (application version 2026.1) as release `demo` in namespace `openstack`.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from helm_python import Chart
from hypothesis import given, settings
from hypothesis import strategies as st

COMMON = Path(__file__).parents[2] / "charts" / "common"
HEADER = re.compile(r"\{\{- /\*\n(?P<text>abstract: .*?)\*/ -\}\}\n\{\{- define \"(?P<name>[^\"]+)\" -\}\}", re.DOTALL)
Render = Callable[[str, dict[str, object]], str]
KEYS = ("abstract", "values", "usage", "return")


@dataclass(frozen=True, slots=True)
class Header:
    """One helper as its header describes it."""

    name: str
    values: dict[str, object]
    usage: str
    returns: object


def read_header(name: str, text: str) -> Header:
    """Split a header's text at its four keys."""
    found = re.split(r"^(\w+):", text, flags=re.MULTILINE)[1:]
    parts = dict(zip(found[::2], found[1::2], strict=True))
    assert tuple(parts) == KEYS, f"the header of {name} must have the keys {KEYS}, but has {tuple(parts)}"
    return Header(name, yaml.safe_load(parts["values"]), parts["usage"].strip(), yaml.safe_load(parts["return"]))


def templates() -> list[Path]:
    """Every template file of the library chart."""
    return sorted((COMMON / "templates").glob("*.tpl"))


HEADERS = [
    read_header(match["name"], match["text"]) for path in templates() for match in HEADER.finditer(path.read_text())
]


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Render one template text in a chart that has the library and nothing else."""
    root = tmp_path_factory.mktemp("example")
    charts: dict[str, Chart] = {}

    def render(usage: str, values: dict[str, object]) -> str:
        if usage not in charts:
            chart = root / str(len(charts))
            (chart / "templates").mkdir(parents=True)
            (chart / "charts").mkdir()
            (chart / "charts" / "common").symlink_to(COMMON)
            (chart / "Chart.yaml").write_text(
                "{apiVersion: v2, name: example, version: 1.0.0, appVersion: '2026.1', "
                "dependencies: [{name: common, version: '>=0', repository: ''}]}"
            )
            (chart / "templates" / "example.yaml").write_text(usage)
            charts[usage] = Chart.load(str(chart))
        return charts[usage].render(values, name="demo", namespace="openstack")["example/templates/example.yaml"]

    return render


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: header.name)
def test_usage_returns_what_the_header_says(header: Header, example: Render) -> None:
    """What `usage` renders to means what `return` says."""
    rendered = example(header.usage, header.values)
    meant = rendered if isinstance(header.returns, str) else yaml.safe_load(rendered)
    assert meant == header.returns


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: header.name)
def test_usage_calls_the_helper(header: Header) -> None:
    """An example calls the helper that it belongs to."""
    assert f'include "{header.name}"' in header.usage


def test_every_helper_has_a_header() -> None:
    """Nothing is defined without an example, under a prefix of its own, or twice."""
    defined = re.findall(r'define "([^"]+)"', "".join(path.read_text() for path in templates()))
    assert sorted(defined) == sorted(header.name for header in HEADERS)
    assert len(defined) == len(set(defined))
    assert all(re.fullmatch(r"common(\.[a-z]+)+", name) for name in defined)


def test_every_helper_is_listed_in_the_readme() -> None:
    """The README names exactly the helpers that exist."""
    listed = re.findall(r"^\| `(common\.[a-z.]+)`", (COMMON / "README.md").read_text(), flags=re.MULTILINE)
    assert sorted(listed) == sorted(header.name for header in HEADERS)


def name(instance: str, suffix: str) -> str:
    """The naming rule, written a second time."""
    whole = f"{instance}-{suffix}" if suffix else instance
    if len(whole) <= 52:
        return whole
    return whole[:43].rstrip("-") + "-" + hashlib.sha256(whole.encode()).hexdigest()[:8]


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?", fullmatch=True)


@settings(max_examples=300, deadline=None)
@given(instance=LABEL, suffix=st.one_of(st.just(""), LABEL))
def test_names_follow_the_rule(example: Render, instance: str, suffix: str) -> None:
    """A name is legal, at most 52 characters long, and the one that the rule gives."""
    usage = '{{ include "common.names.name" (dict "root" (dict "Release" .Values.release) "suffix" .Values.suffix) }}'
    rendered = example(usage, {"release": {"Name": instance}, "suffix": suffix})
    assert rendered == name(instance, suffix)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?", rendered)
