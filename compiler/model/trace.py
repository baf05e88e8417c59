"""What a value does: the nouns of a trace."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from compiler.model.data import Data
from compiler.model.diagnostic import Diagnostic
from compiler.model.manifest import Field
from compiler.model.names import InstanceName
from compiler.model.node import Node, Origin

ValuePath: TypeAlias = tuple[str | int, ...]
"""Where a value stands in the finished values of an instance; an item of a list is its index."""


class Given(StrEnum):
    """What a template reads beside the values, as it writes it."""

    NAME = ".Release.Name"
    NAMESPACE = ".Release.Namespace"
    KUBERNETES = ".Capabilities.KubeVersion"


Cause: TypeAlias = ValuePath | Given
"""What may decide a field: a value, or something else that a template reads."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A field that another value would change. ``lines`` are those of a text of several lines, from 1.

    ``before`` and ``after`` are what it holds; one of them is None where it appears or vanishes. ``digest`` is set
    where nothing but a digest of something else changes (a checksum, the end of a name).
    """

    field: Field
    before: Data = None
    after: Data = None
    lines: tuple[int, ...] = ()
    digest: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """What a value reaches: found out by rendering with ``tried`` (as JSON, of a single value) in its place.

    ``untold`` are values for which nothing else could be rendered, so that nothing can be told of them.
    """

    effects: tuple[Effect, ...] = ()
    tried: tuple[str, ...] = ()
    untold: tuple[ValuePath, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What decides a field, most likely first.

    ``untold`` are causes with which nothing else could be rendered, so that it cannot be told whether they decide it;
    ``complete`` is False where the bound on renders was hit; ``template`` is the line that writes the field.
    """

    causes: tuple[Cause, ...] = ()
    untold: tuple[Cause, ...] = ()
    complete: bool = True
    template: Origin | None = None


@dataclass(frozen=True, slots=True)
class Supply:
    """Where a value comes from.

    ``by`` says who supplied it (a layer, a binding, the site); ``lost`` is what it overrode, latest first, without the
    chart's own ``default``, which is None where the chart has none, or where it is the default that won.
    """

    cause: Cause
    value: Data
    origin: Origin
    by: str
    lost: tuple[Node, ...] = field(default=(), repr=False)
    default: Node | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ValueTrace:
    """The answer to: where does this value come from, and what does it do.

    ``supplies`` has every single value below the key that was asked for; ``reach`` is None where nothing was rendered
    (the whole instance was asked for, or, with ``trouble``, its chart does not render); ``elsewhere`` is what else
    changes in instances that are bound to this one; ``output`` is the directory that the site is compiled into.
    """

    instance: InstanceName
    path: ValuePath
    supplies: tuple[Supply, ...]
    reach: Reach | None = None
    elsewhere: tuple[Effect, ...] = ()
    trouble: tuple[Diagnostic, ...] = ()
    output: str = ""


@dataclass(frozen=True, slots=True)
class FieldTrace:
    """The answer to: who decides this field.

    ``value`` is what the field holds, ``template`` the file that renders its object; ``writer`` is set where none does,
    because the compiler writes the object.
    """

    field: Field
    value: Data
    template: Origin | None
    supplies: tuple[Supply, ...] = ()
    decision: Decision = Decision()
    writer: str = ""
    output: str = ""
