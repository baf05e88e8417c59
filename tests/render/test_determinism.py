"""What does not render the same each time is refused, with the place and the value that would pin it."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler import render
from compiler.errors import InputError
from compiler.model.data import Data
from compiler.model.render import RenderedFile, RenderRequest
from compiler.render import EmbeddedRenderer, Renderer
from compiler.render.charts import ChartFiles
from compiler.render.scan import CAUSES, Cause, disturbed, scan
from tests.render.worlds import CHART, config_map, demo, request, write

PINNABLE = "{{ .Values.auth.password | default (randAlphaNum 16) | b64enc }}"


def secret(value: str) -> str:
    return f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a, namespace: openstack}}\ndata:\n  password: {value}\n"


def refused(root: Path, values: dict[str, Data] | None = None, renderer: Renderer | None = None) -> str:
    with pytest.raises(InputError) as said:
        render.render(request(root, values or {"auth": {}}), renderer or EmbeddedRenderer())
    return str(said.value)


def test_a_random_value_is_refused_with_the_value_that_pins_it(tmp_path: Path, renderer: Renderer) -> None:
    """Chart, template, line, function, and what to set."""
    assert refused(demo(tmp_path, {"secret.yaml": secret(PINNABLE)}), renderer=renderer) == (
        "error [OS001]: the chart `demo` must render the same each time, but `demo/templates/secret.yaml` did not:"
        " `randAlphaNum` depends on chance\n"
        "  --> charts/demo/templates/secret.yaml:5:49\n"
        "  try: a value for `auth.password` in the values of the instance `demo`"
    )


def test_a_pinned_value_is_a_warning(tmp_path: Path) -> None:
    """It renders the same here, and the chart is still one that another site trips over."""
    root = demo(tmp_path, {"secret.yaml": secret(PINNABLE)})
    bundle = render.render(request(root, {"auth": {"password": "pinned"}}), EmbeddedRenderer())
    assert [str(diagnostic) for diagnostic in bundle.diagnostics] == [
        "warning [OS002]: `randAlphaNum` depends on chance; only the values given here keep it out of the output\n"
        "  --> charts/demo/templates/secret.yaml:5:49\n"
        "  try: a value instead"
    ]


@pytest.mark.parametrize(
    "clock",
    [
        '{{ now | date "2006" }}',
        '{{ date "2006-01-02" now }}',
        "{{ now.Year }}",
        '{{ ago (toDate "2006-01-02" "2020-01-01") | trunc 4 }}',
        '{{ $t := now }}{{ $t | date "2006" }}',
    ],
)
def test_the_clock_is_found_even_if_it_did_not_move(clock: str, tmp_path: Path, renderer: Renderer) -> None:
    """A year stays the same in two renders of one second, and does not on New Year's Eve."""
    root = demo(tmp_path, {"x.yaml": config_map("a", f"data: {{at: {clock}}}\n")})
    said = refused(root, renderer=renderer)
    assert "`demo/templates/x.yaml` did not" in said
    assert "depends on the clock\n  --> charts/demo/templates/x.yaml:4:" in said


def test_a_clock_that_decides_nothing_is_allowed(tmp_path: Path) -> None:
    """The proof is about the output."""
    root = demo(tmp_path, {"x.yaml": config_map("a", '{{- $_ := now }}\ndata: {k: "now"}\n')})
    assert len(render.render(request(root), EmbeddedRenderer()).manifests) == 1


def test_a_call_in_a_library_chart_is_named_there(tmp_path: Path) -> None:
    """The template that differs only includes it; calls that it does not reach are not blamed."""
    write(tmp_path, {"charts/lib/Chart.yaml": CHART.replace("demo", "lib") + "type: library\n"})
    helper = '{{ define "lib.outer" }}{{ include "lib.id" . }}{{ end }}\n{{ define "lib.id" }}{{ uuidv4 }}{{ end }}\n'
    write(tmp_path, {"charts/lib/templates/_id.tpl": helper + '{{ define "lib.other" }}{{ randInt 1 9 }}{{ end }}\n'})
    demo(tmp_path, {"x.yaml": config_map("a", 'data: {id: {{ include "lib.outer" . }}}\n')})
    write(tmp_path, {"charts/demo/charts/lib": "-> ../../lib"})
    said = refused(tmp_path)
    assert "`uuidv4` depends on chance\n  --> charts/lib/templates/_id.tpl:2:25\n" in said
    assert "randInt" not in said


def test_a_random_value_in_a_value_is_refused_too(tmp_path: Path) -> None:
    """No template calls it, so the template that differs is all that is known."""
    root = demo(tmp_path, {"x.yaml": config_map("a", "data: {id: {{ tpl .Values.text . }}}\n")})
    assert refused(root, {"text": "{{ uuidv4 }}"}) == (
        "error [OS001]: the chart `demo` must render the same each time, but `demo/templates/x.yaml` did not\n"
        "  --> charts/demo/templates/x.yaml:1:1\n"
        "  try: look for what depends on chance, on the time, or on the order of a map"
    )


SORTED = ["{{ keys .a | sortAlpha }}", "{{ values .a | len }}", '{{ if has "x" (keys .a) }}{{ end }}']


@pytest.mark.parametrize("text", SORTED)
def test_a_map_whose_order_is_not_seen_is_fine(text: str) -> None:
    """Sorted, counted, looked into."""
    assert scan([("x", text)]).calls == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{- range $k := keys .a -}}", "{{- range $k := keys .a | reverse -}}"),
        ('{{ .a | keys | join "|" }}', '{{ .a | keys | reverse | join "|" }}'),
        (
            '{{ include "b" (dict "c" (values (get .a "}")) "d" 1) }}',
            '{{ include "b" (dict "c" (values (get .a "}") | reverse) "d" 1) }}',
        ),
        (
            "{{ now.Year }}{{ now }}",
            '{{ (toDate "2006-01-02" "2001-01-01").Year }}{{ (toDate "2006-01-02" "2001-01-01") }}',
        ),
    ],
)
def test_a_disturbed_template_is_the_same_but_for_time_and_order(text: str, expected: str) -> None:
    """Whatever stands around the call."""
    assert disturbed(text) == expected


def test_the_order_of_a_map_is_found(tmp_path: Path, renderer: Renderer) -> None:
    """``keys`` gives them in any order, and for small maps mostly in the same one."""
    values: dict[str, Data] = {"map": dict.fromkeys("abcdefgh", 1)}
    root = demo(tmp_path, {"x.yaml": config_map("a", "data: {k: {{ keys .Values.map | join `-` }}}\n")})
    said = refused(root, values, renderer)
    assert "`keys` depends on the order of a map" in said
    assert said.endswith(
        "try: `keys ... | sortAlpha`, or `range` over the map itself, which goes in the order of its keys"
    )


def test_an_order_that_decides_nothing_is_allowed(tmp_path: Path) -> None:
    """Sorted later, in another action."""
    text = config_map("a", "{{- $k := keys .Values.map }}\ndata: {k: {{ $k | sortAlpha | join `-` }}}\n")
    root = demo(tmp_path, {"x.yaml": text})
    bundle = render.render(request(root, {"map": dict.fromkeys("abcdefgh", 1)}), EmbeddedRenderer())
    assert bundle.diagnostics == ()


def test_a_lookup_is_told(tmp_path: Path) -> None:
    """It always finds nothing here, and something in a cluster."""
    root = demo(tmp_path, {"x.yaml": config_map("a", 'data: {k: {{ lookup "v1" "Pod" "" "" | toJson | quote }}}\n')})
    bundle = render.render(request(root), EmbeddedRenderer())
    assert [diagnostic.message for diagnostic in bundle.diagnostics] == [
        "`lookup` asks the cluster, and a compile has none: it always finds nothing"
    ]


@pytest.mark.parametrize("chart", sorted(p.parent.name for p in Path(__file__).parents[2].glob("charts/*/Chart.yaml")))
def test_our_charts_ask_neither_chance_nor_the_clock_nor_a_cluster(chart: str, repository: Path) -> None:
    """Not even pinned."""
    templates = ((path.name, path.read_text()) for path in sorted((repository / "charts" / chart).rglob("*.*")))
    assert [call for call in scan(templates).calls if call.cause is not Cause.ORDER] == []


NOT_CALLS = {
    "a comment": "{{/* now */}}",
    "a trimmed comment": "{{- /* uuidv4\n now */ -}}",
    "a string": '{{ print "now" }}',
    "a string with an escaped quote": '{{ print "\\" now" }}',
    "a raw string": "{{ print `now }}` }}",
    "a character": "{{ print 'n' }}",
    "a field": "{{ .now }} {{ .Values.now }} {{ $.now }}",
    "a variable": "{{ $now := 1 }}{{ $now }}",
    "part of a word": "{{ nowhere }} {{ unknown }} {{ include_now }}",
    "text between actions": "now {{ 1 }} uuidv4 {{ 2 }} randAlpha",
    "a shell's braces": "${now} {now} { {now} }",
    "a password made of others": '{{ derivePassword 1 "long" "a" "b" "c" }}',
}


@pytest.mark.parametrize("text", NOT_CALLS.values(), ids=NOT_CALLS.keys())
def test_what_is_no_call_is_none(text: str) -> None:
    """The scan knows Go's templates well enough not to cry wolf."""
    assert scan([("x", text)]).calls == ()
    assert disturbed(text) == text


@pytest.mark.parametrize("function", sorted(CAUSES))
@pytest.mark.parametrize("form", ["{{ %s }}", "{{- $x := (%s 1) -}}", "{{ 1 | %s }}", '{{ if eq "}}" (%s) }}{{ end }}'])
def test_every_function_is_found_in_every_form(function: str, form: str) -> None:
    """Alone, as an argument, in a pipeline, beside a string that looks like an end."""
    assert [call.function for call in scan([("x", form % function)]).calls] == [function]


def test_calls_have_their_place_and_the_values_near_them() -> None:
    """The values of the action, or else of the nearest line above."""
    text = "a\n{{ if not .Values.tls.given }}\n{{ $ca := genCA `x` 1 }}\n{{ end }}\n{{ default uuidv4 .Values.id }}\n"
    assert [(call.line, call.column, call.pins) for call in scan([("x", text)]).calls] == [
        (3, 11, ("tls.given",)),
        (5, 12, ("id",)),
    ]


PROOFS = {
    "nothing is named": ("{{ .Values.a }}", 1),
    "tpl, and nothing is named anywhere": ("{{ tpl .Values.a . }}", 1),
    "tpl of a word": ("{{ tpl .Values.call . }}", 2),
    "chance that decides nothing": ("x{{ $_ := randAlpha 3 }}", 2),
    "a name in a string": ('{{ print "now" }}', 2),
    "a clock that is not reached": ("{{ if .Values.no }}{{ now }}{{ end }}x", 2),
    "a clock that decides nothing": ("x{{ $_ := now }}", 4),
}


@pytest.mark.parametrize(("text", "renders"), PROOFS.values(), ids=PROOFS.keys())
def test_a_proof_renders_no_more_than_it_must(text: str, renders: int, tmp_path: Path) -> None:
    """What is not named cannot be called; what fails when it is reached, and did not fail, was not reached."""
    root = demo(tmp_path, {"x.yaml": config_map("a", f"data:\n  k: {text}\n")})
    done: list[ChartFiles | None] = []

    class Counting(EmbeddedRenderer):
        def render(self, request: RenderRequest, files: ChartFiles | None = None) -> tuple[RenderedFile, ...]:
            done.append(files)
            return EmbeddedRenderer().render(request, files)

    said: dict[str, Data] = {"call": '{{ print "now" }}'} if ".call" in text else {}
    render.render(request(root, {"a": "x", "no": "", **said}), Counting())
    assert len(done) == renders
