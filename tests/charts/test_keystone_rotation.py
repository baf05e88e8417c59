"""Rotation of keystone's keys is right although pods learn of it one after another: checked on simulated pods.

Pods see the Secret as it was up to ``LAG`` seconds ago. The CronJob runs whenever it likes.
"""

from __future__ import annotations

import runpy
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

ROTATE: Any = runpy.run_path(str(Path(__file__).parents[2] / "charts/keystone/files/rotate.py"))["rotate"]
LAG, STAGED, LIFETIME = 120, 600, 5000
RETIRED = LIFETIME + STAGED
GAPS = st.lists(st.integers(1, 4000), min_size=1, max_size=25)

Keys = dict[int, str]


def history(gaps: list[int], retired: int | None) -> list[tuple[int, Keys]]:
    """The Secret's contents over time when runs happen after each of ``gaps`` seconds."""
    now, keys, since = 0, {0: "first", 1: "second"}, {0: -(10**9), 1: -(10**9)}
    versions = [(now, keys)]
    for gap in gaps:
        now += gap
        rotated = ROTATE(keys, since, now, STAGED, retired)
        if rotated is not None:
            keys, since = rotated
            versions.append((now, keys))
    return versions


def seen(versions: list[tuple[int, Keys]], now: int, lag: int) -> Keys:
    """What a pod that is ``lag`` seconds behind has."""
    return next(keys for at, keys in reversed(versions) if at <= max(now - lag, 0))


@given(gaps=GAPS, made=st.integers(0, 60000), age=st.integers(0, LIFETIME), lags=st.tuples(*[st.integers(0, LAG)] * 2))
def test_every_pod_reads_every_token_that_lives(gaps: list[int], made: int, age: int, lags: tuple[int, int]) -> None:
    versions = history(gaps, RETIRED)
    theirs = seen(versions, made, lags[0])
    assert theirs[max(theirs)] in seen(versions, made + age, lags[1]).values()


@given(gaps=GAPS)
def test_a_key_encrypts_only_after_it_was_staged_long_enough(gaps: list[int]) -> None:
    born: dict[str, int] = {}
    for at, keys in history(gaps, RETIRED):
        for key in keys.values():
            born.setdefault(key, at)
        primary = keys[max(keys)]
        assert primary in {"first", "second"} or at - born[primary] >= STAGED


@given(gaps=GAPS)
def test_token_keys_do_not_pile_up(gaps: list[int]) -> None:
    for _, keys in history(gaps, RETIRED):
        assert len(keys) <= 3 + RETIRED // STAGED + 1


@given(gaps=GAPS)
def test_one_retired_credential_key_remains(gaps: list[int]) -> None:
    """Before each rotation everything is encrypted with what was primary; that key must survive the rotation."""
    versions = history(gaps, None)
    for (_, before), (_, after) in pairwise(versions):
        assert before[max(before)] in after.values()
        assert len(after) == 3


def test_a_run_that_is_not_due_changes_nothing() -> None:
    assert ROTATE({0: "a", 1: "b"}, {0: 1000, 1: 0}, 1000 + STAGED - 1, STAGED, RETIRED) is None


def test_a_repository_without_a_staged_key_gets_one_and_keeps_its_primary() -> None:
    keys, _ = ROTATE({4: "b"}, {4: 0}, 10**6, STAGED, RETIRED)
    assert set(keys) == {0, 4}
    assert keys[4] == "b"
