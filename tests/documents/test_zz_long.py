"""A scalar means to us what it means to Kubernetes, in both of our readers."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compiler.documents import emit, parse_node, parse_stream
from compiler.errors import InputError
from compiler.model.data import Data
from tests.documents.oracle import Oracle, Refused

PLAIN = [
    *("0644", "0o644", "0x1F", "0b101", "08", "-010", "+12", "1_000", "1__0", "_1", "0x_1", "0", "-0", "00"),
    *(
        "1e3",
        "1E-3",
        "1.",
        ".5",
        "-.5",
        "+.5",
        "1.5e3",
        "1e400",
        "0.1",
        "-0.0",
        "1e21",
        "1e-7",
        "1.0",
        "100000000000.0",
    ),
    *("9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616"),
    *("-9223372036854775808", "-9223372036854775809", "123456789012345678901234567890", "03190301", "1e1_0"),
    *("y", "Y", "yes", "on", "On", "ON", "oN", "n", "N", "no", "off", "OFF", "true", "True", "TRUE", "tRue", "false"),
    *("~", "null", "Null", "NULL", "nULL", ".inf", "-.INF", ".nan", "+.inf", "inf", "nan", ".Inf.", "~~"),
    *("12:30:45", "1:20", "190:20:30", "2026-04-01", "2026-04-01T12:00:00Z", "2026-4-1", "1.2.3", "v1.35", "1.35"),
    *(
        "abc",
        "a b",
        "0x",
        "0b",
        "0o",
        "0b2",
        "-",
        "--",
        "+",
        ".",
        "..",
        "=",
        "<<",
        "1e",
        "e1",
        "-a",
        "a:b",
        "a#b",
        "1,2",
    ),
    *(
        "http://x:80/",
        "10.0.0.0/8",
        "::1",
        "fe80::1",
        "0.0.0.1",
        "1d",
        "10Gi",
        "100m",
        "@",
        "0777_",
        "0_7",
        "-0b1",
        "-0x1",
    ),
]
fair = settings(max_examples=1500, deadline=None)


def comparable(value: Data) -> object:
    """``value`` with each number as the float that Helm's JSON makes of it, told apart from a boolean."""
    match value:
        case dict():
            return {key: comparable(below) for key, below in value.items()}
        case list():
            return [comparable(item) for item in value]
        case bool() | None | str():
            return value
        case _:
            return ("number", float(value))


def ours(text: str) -> Data:
    node = parse_node(text, "f.yaml")
    return node.data() if node is not None else {}


def rendered(text: str) -> Data:
    return next((data for _, data in parse_stream(text, "f.yaml")), {})


def agrees(text: str, oracle: Oracle) -> None:
    """Both of our readers and the oracle read the same, or all refuse."""
    try:
        expected = comparable(oracle(text))
    except Refused:
        for read in (ours, rendered):
            with pytest.raises(InputError):
                read(text)
        return
    assert comparable(ours(text)) == expected
    assert comparable(rendered(text)) == expected


@pytest.mark.parametrize("scalar", PLAIN)
def test_a_plain_scalar_means_what_it_means_to_helm(scalar: str, helm_reads: Oracle) -> None:
    """The known traps, one by one."""
    agrees(f"a: {scalar}\n", helm_reads)


@pytest.mark.parametrize("tag", ["str", "int", "float", "bool", "null", "timestamp", "binary", "map", "seq", "foo"])
@pytest.mark.parametrize("scalar", ["1", "0644", "on", "x", "~", "1.5", "aGk=", "2026-04-01", '"1"', '""'])
def test_a_tagged_scalar_is_what_its_tag_says_or_is_refused(tag: str, scalar: str, helm_reads: Oracle) -> None:
    """Where Helm reads a tagged scalar, we read the same."""
    text = f"a: !!{tag} {scalar}\n"
    try:
        expected = comparable(helm_reads(text))
    except Refused:
        return
    try:
        assert comparable(ours(text)) == expected
    except InputError as error:
        assert "is tagged" in str(error)  # noqa: PT017 - stricter than Helm is fine, different is not


@fair
@given(st.text(alphabet="0123456789+-._eExXobBinfaNyY~tru:/", min_size=1, max_size=9))
@example("0_7")
@example("1e1_0")
def test_any_plain_scalar_means_what_it_means_to_helm(helm_reads: Oracle, scalar: str) -> None:
    """Whatever can be made of the characters that numbers, dates and words are made of."""
    if scalar.endswith(":") or scalar in {"-", "...", "---"}:
        return
    agrees(f"a: {scalar}\n", helm_reads)


@fair
@given(st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False)))
def test_any_number_means_what_it_means_to_helm(helm_reads: Oracle, number: float) -> None:
    """As Python writes it."""
    agrees(f"a: {number!r}\n", helm_reads)


def test_integers_of_64_bits_are_exact() -> None:
    """JSON readers may lose their last digits; we do not."""
    assert ours("a: 9007199254740993\nb: 18446744073709551615\n") == {"a": 9007199254740993, "b": 18446744073709551615}


def test_a_key_is_the_string_that_kubernetes_makes_of_it(helm_reads: Oracle) -> None:
    """In what Helm rendered; in what people write, a key that is no string is a mistake."""
    text = "1: a\n0644: b\ntrue: c\n1.5: d\n12:30: e\n2026-04-01: f\n'null': g\nno: h\n"
    assert rendered(text) == helm_reads(text)
    with pytest.raises(InputError, match="the key `true` is a boolean to Kubernetes"):
        ours(text)


DATA = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=12),
        st.sampled_from(PLAIN),
    ),
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(st.one_of(st.text(max_size=6), st.sampled_from(PLAIN)), below, max_size=3),
    ),
    max_leaves=8,
)
MAPS = st.dictionaries(st.sampled_from(["a", "metadata", "on", "0644", ""]), DATA, max_size=3)


def whole(value: Data) -> Data:
    """``value`` as JSON has it: a whole float is an integer."""
    match value:
        case dict():
            return {key: whole(below) for key, below in value.items()}
        case list():
            return [whole(item) for item in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


@fair
@given(MAPS)
@example({"a": "x\n\n", "on": " lead\nmore\n", "0644": "\n", "": "trail \n"})
@example({"a": "\u2028\u0085\ufeff\x7f\t"})
def test_what_is_written_is_read_back_by_helm_and_by_us(helm_reads: Oracle, value: dict[str, Data]) -> None:
    """Every string is quoted that needs it, every text of several lines keeps its line ends."""
    text = emit(value)
    assert comparable(helm_reads(text)) == comparable(value)
    assert comparable(rendered(text)) == comparable(value)
    assert comparable(ours(text)) == comparable(value)


@fair
@given(MAPS)
def test_a_real_template_reads_it_the_same(template_reads: Oracle, value: dict[str, Data]) -> None:
    """``fromYaml | toJson`` in a chart gives what our reader gives."""
    text = emit(value)
    assert comparable(rendered(text)) == comparable(template_reads(text))


@fair
@given(MAPS)
def test_equal_values_are_written_alike(value: dict[str, Data]) -> None:
    """In whatever order their keys were; and writing what was read changes nothing."""
    backwards = dict(reversed(value.items()))
    assert emit(value) == emit(backwards)
    assert emit(whole(rendered(emit(whole(value))))) == emit(whole(value))


def test_a_number_that_json_does_not_have_is_refused_with_its_place() -> None:
    """Helm fails on it too, but does not say where."""
    for text, number in (("a: 1\nb: .nan\n", ".nan"), ("a: 1\nb: -.inf\n", "-.inf")):
        assert math.isnan(float(number.replace(".", ""))) or math.isinf(float(number.replace(".", "")))
        with pytest.raises(InputError) as failure:
            ours(text)
        assert str(failure.value) == (
            f"error: `{number}` is a number that JSON, and so Kubernetes, does not have\n  --> f.yaml:2:4\n  try: quotes"
        )
