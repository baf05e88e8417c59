"""A chart's digest covers what Helm reads, all of it and nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from compiler.errors import InputError, ProgramMissing
from compiler.model.names import Digest
from compiler.render import Renderer, load_chart_digest, program
from compiler.render.charts import load, origin
from tests.render.worlds import CHART, config_map, demo, request, write

FILES: Final = {
    "charts/lib/Chart.yaml": CHART.replace("demo", "lib") + "type: library\n",
    "charts/lib/templates/_lib.tpl": '{{ define "lib.x" }}1{{ end }}\n',
    "charts/demo/charts/lib": "-> ../../lib",
    "charts/demo/Chart.yaml": CHART,
    "charts/demo/.helmignore": "*.md\n/ignored/\n",
    "charts/demo/README.md": "Read me.\n",
    "charts/demo/ignored/file": "1",
    "charts/demo/values.yaml": "a: 1\n",
    "charts/demo/templates/x.yaml": config_map("x"),
}
COUNTS: Final = {
    "charts/demo/values.yaml": "a: 2\n",
    "charts/demo/templates/x.yaml": config_map("y"),
    "charts/demo/templates/new.yaml": "",
    "charts/demo/files/new": "",
    "charts/lib/templates/_lib.tpl": '{{ define "lib.x" }}2{{ end }}\n',
    "charts/demo/.helmignore": "*.md\n",
}
DOES_NOT_COUNT: Final = {
    "charts/demo/README.md": "Do not read me.\n",
    "charts/demo/ignored/more": "2",
    "charts/demo/templates/.swp": "an editor's",
    "charts/other/Chart.yaml": CHART,
}


def digest(root: Path) -> Digest:
    return load_chart_digest(root / "charts" / "demo")


@pytest.mark.parametrize("name", COUNTS)
def test_what_helm_reads_counts(name: str, tmp_path: Path) -> None:
    """Files, their names, the library chart behind a link, and what decides which files are read."""
    write(tmp_path, FILES)
    before = digest(tmp_path)
    write(tmp_path, {name: COUNTS[name]})
    assert digest(tmp_path) != before


@pytest.mark.parametrize("name", DOES_NOT_COUNT)
def test_what_helm_does_not_read_does_not_count(name: str, tmp_path: Path) -> None:
    """A README that changes is no reason to render anything."""
    write(tmp_path, FILES)
    before = digest(tmp_path)
    write(tmp_path, {name: DOES_NOT_COUNT[name]})
    assert digest(tmp_path) == before


def test_the_digest_is_the_same_wherever_the_chart_lies(tmp_path: Path) -> None:
    """On another machine, in another directory, with other times."""
    for place in ("a", "b/c"):
        write(tmp_path / place, FILES)
    assert digest(tmp_path / "a") == digest(tmp_path / "b/c")


def test_a_packed_chart_renders_as_the_directory_does(
    tmp_path: Path, renderer: Renderer, helm_programs: Mapping[str, Path]
) -> None:
    """A third party's chart is an archive; its faults are named as if it were a directory."""
    root = demo(tmp_path, {"x.yaml": config_map("x"), "y.yaml": "{{ with .Values.fail }}{{ fail . }}{{ end }}"})
    argv = [str(helm_programs["helm4"]), "package", str(root / "charts/demo"), "--destination", str(root)]
    subprocess.run(argv, check=True, capture_output=True)
    digest_of_archive = load_chart_digest(root / "demo-1.0.0.tgz")
    packed = replace(request(root), chart_path="demo-1.0.0.tgz", chart_digest=digest_of_archive)
    assert renderer.render(packed) == renderer.render(request(root))
    with pytest.raises(InputError) as said:
        renderer.render(replace(packed, values='{"fail":"no"}'))
    assert (
        str(said.value)
        == "error: no\n  --> demo-1.0.0.tgz/templates/y.yaml:1:26\n  try: the values of the instance `demo`"
    )


def test_a_place_in_a_linked_library_chart_is_that_of_the_library_chart(tmp_path: Path) -> None:
    """Where people edit it, not where Helm found it."""
    write(tmp_path, FILES)
    place = origin(request(tmp_path), "demo/charts/lib/templates/_lib.tpl", 3, 4)
    assert str(place) == "charts/lib/templates/_lib.tpl:3:4"


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    """Helm would walk them until the path is too long."""
    write(tmp_path, {**FILES, "charts/demo/templates/again": "-> .."})
    with pytest.raises(InputError) as said:
        digest(tmp_path)
    assert "the chart cannot be read: " in str(said.value)


def test_a_link_to_nowhere_is_refused(tmp_path: Path) -> None:
    """With the link's place."""
    write(tmp_path, {**FILES, "charts/demo/templates/gone.yaml": "-> nowhere"})
    with pytest.raises(InputError) as said:
        digest(tmp_path)
    assert str(said.value) == (
        "error: the chart cannot be read: No such file or directory\n"
        f"  --> {tmp_path}/charts/demo/templates/gone.yaml:1:1\n  try: look at the file and its permissions"
    )


def test_patterns_that_helm_refuses_are_refused(tmp_path: Path) -> None:
    """``**`` is Git's, not Helm's."""
    write(tmp_path, {**FILES, "charts/demo/.helmignore": "docs/**\n"})
    with pytest.raises(InputError, match="must not use `\\*\\*`, which Helm does not know"):
        digest(tmp_path)


def test_an_archive_that_is_none_is_refused(tmp_path: Path) -> None:
    """Whatever it is."""
    (tmp_path / "chart.tgz").write_bytes(b"not an archive")
    with pytest.raises(InputError, match="the archive of the chart is refused"):
        load(tmp_path / "chart.tgz")


def test_a_helm_that_is_not_there_is_missing() -> None:
    """Before anything is rendered."""
    with pytest.raises(ProgramMissing):
        program("/nowhere/helm")
