"""A chart without the files that a render has no need of: it comes out the same, and sooner.

A library of named templates is parsed anew for each render, and most of it is called by nobody. Who calls a named
template has its name in quotes, or makes the name up while it runs; in the second case the render without it fails, so
that whoever renders a lean chart must fall back to the whole one. A render that does not fail is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from compiler.render.charts import ChartFiles, is_packed, is_template

_NAME: Final = r"[\w.\-/]+"
_DEFINED: Final = re.compile(r'\b(?:define|block)\s+["`]([^"`]+)["`]')
_QUOTED: Final = re.compile(rf'(?<=["`])({_NAME})(?=\\?["`])')
_KEPT: Final = 4096
"""How many texts a process remembers what it found in: charts of one project hold the same library, over and over."""


def lean(files: ChartFiles, others: Iterable[str] = (), only: Callable[[str], bool] = lambda _: True) -> ChartFiles:
    """``files`` without what nobody calls.

    That is every file of named templates whose names stand nowhere in the rest, nor in ``others`` (values, which
    ``tpl`` may be handed); and of the templates that print something those that are not among ``only``, and that no
    other includes by its path (to hash it, most often). A chart with packed charts inside keeps every named template:
    who calls what is not to be seen.
    """
    packed = any(map(is_packed, files.files))
    waiting = {
        name: _names(content) | _paths(name)
        for name, content in files.files.items()
        if (_prints(name) and not only(name)) or (_is_partial(name) and _names(content) and not packed)
    }
    called = set().union(*(_quoted(content) for name, content in files.files.items() if name not in waiting))
    called |= set().union(*(_quoted(text.encode()) for text in others))
    while needed := [name for name, defined in waiting.items() if not defined.isdisjoint(called)]:
        for name in needed:
            called |= _quoted(files.files[name])
            del waiting[name]
    return ChartFiles({name: content for name, content in files.files.items() if name not in waiting})


def _prints(name: str) -> bool:
    """Whether Helm prints what the file renders. Of a file that begins with a line, it does not."""
    return is_template(name) and not _is_partial(name) and name.endswith((".yaml", ".yml", ".json", ".txt"))


def _is_partial(name: str) -> bool:
    return is_template(name) and name.rpartition("/")[2].startswith("_")


def _paths(name: str) -> frozenset[str]:
    """How a template is included as a file: by its path below the base path, whoever puts the line between them."""
    path = name.rpartition("templates/")[2]
    return frozenset({path, f"/{path}"})


@lru_cache(maxsize=_KEPT)
def _names(content: bytes) -> frozenset[str]:
    """The named templates of a file; none where one has a name that ``_quoted`` would not see."""
    found = frozenset(_DEFINED.findall(content.decode(errors="replace")))
    return found if all(re.fullmatch(_NAME, name) for name in found) else frozenset()


@lru_cache(maxsize=_KEPT)
def _quoted(content: bytes) -> frozenset[str]:
    return frozenset(_QUOTED.findall(content.decode(errors="replace")))
