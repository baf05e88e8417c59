"""A chart without what nobody calls renders the same, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler import pipeline, render
from compiler.errors import InputError
from compiler.render import EmbeddedRenderer, charts
from compiler.render.charts import ChartFiles
from compiler.render.lean import lean
from tests.render.worlds import config_map, demo, request

TOP = "templates/top.yaml"
FILES = {
    "values.yaml": "call: '{{ include \"from.values\" . }}'\n",
    TOP: '{{ include "used" . }} "{{ include "quoted.too" . }}" {{ include "made.file" "/hashed.yaml" }}',
    "templates/_used.tpl": '{{ define "used" }}{{ include `below` . }}{{ end }}',
    "templates/_below.tpl": '{{ define "below" }}a{{ end }}',
    "templates/_quoted.tpl": '{{- define "quoted.too" }}b{{ end }}',
    "templates/_values.tpl": '{{ define "from.values" }}c{{ end }}',
    "templates/_odd.tpl": '{{ define "an odd name" }}d{{ end }}',
    "templates/_nobody.tpl": '{{ define "nobody.calls.this" }}{{ include "nor.this" . }}{{ end }}',
    "templates/_nor.tpl": '{{ define "nor.this" }}e{{ end }}',
    "templates/hashed.yaml": "f: 1",
    "templates/other.yaml": "g: 1",
}
GONE = {"templates/_nobody.tpl", "templates/_nor.tpl"}


def files(**more: str) -> ChartFiles:
    return ChartFiles({name: text.encode() for name, text in {**FILES, **more}.items()})


def test_named_templates_that_nobody_calls_are_left_out() -> None:
    assert set(FILES) - set(lean(files()).files) == GONE


def test_values_call_too() -> None:
    kept = lean(files(), ['{"a": "{{ include \\"nobody.calls.this\\" . }}"}']).files
    assert set(kept) == set(FILES)


def test_of_what_prints_some_stay_with_what_they_include_as_a_file() -> None:
    kept = lean(files(), only=TOP.__eq__).files
    assert set(FILES) - set(kept) == {*GONE, "templates/other.yaml"}


def test_what_packed_charts_call_is_not_to_be_seen() -> None:
    assert set(FILES) < set(lean(files(**{"charts/packed-1.0.0.tgz": ""})).files)


def test_a_name_that_is_made_up_is_not_found_and_the_chart_is_proved_whole(tmp_path: Path) -> None:
    body = 'data: {a: {{ include (printf "%s.b" "demo") . }}, r: {{ len (uuidv4) }}}\n'
    root = demo(tmp_path, {"x.yaml": config_map("a", body), "_x.tpl": '{{ define "demo.b" }}c{{ end }}'})
    asked = request(root)
    small = lean(charts.of(asked), [asked.values])
    assert "templates/_x.tpl" not in small.files
    with pytest.raises(InputError, match=r"demo\.b"):
        EmbeddedRenderer().render(asked, small)
    assert "OS002" in {found.code for found in render.render(asked, EmbeddedRenderer()).diagnostics}


@pytest.mark.parametrize("site", ["site-a", "dev"])
def test_our_charts_render_the_same_without_it(site: str, repository: Path) -> None:
    where, instances = pipeline.resolved(pipeline.Request(site, repository))
    for instance in instances:
        asked = pipeline.render_request(where, instance)
        whole = charts.of(asked)
        small = lean(whole, [asked.values])
        assert EmbeddedRenderer().render(asked, small) == EmbeddedRenderer().render(asked)
