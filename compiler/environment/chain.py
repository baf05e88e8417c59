"""The order of an ``extends`` chain."""

from __future__ import annotations

from collections.abc import Callable

from compiler.environment.header import Header, Mention
from compiler.errors import InputError, collecting
from compiler.model.diagnostic import Diagnostic, Related


def linearise(site: Header, parent: Callable[[Mention, Header], Header]) -> tuple[Header, ...]:
    """``site`` and everything it extends, lowest layer first; ``parent`` reads what a document mentions.

    The law is depth-first post-order: everything that an environment extends comes before it, in the order in which it
    lists them; each environment is in the chain once, where it is first met. So a base lies below all that extends it,
    also when it is reached by two ways. With ``left`` and ``right`` both extending ``base``, ``extends: [left, right]``
    gives base, left, right, site.

    Raises ``InputError`` with every parent that does not exist, and with a circle drawn, each step with its place.
    """
    chain: dict[str, Header] = {}
    steps: list[tuple[Header, Mention]] = []
    with collecting() as mistakes:

        def visit(header: Header) -> None:
            for mention in header.extends:
                steps.append((header, mention))
                with mistakes.attempt():
                    _refuse_circle(steps)
                    if mention.name not in chain:
                        visit(parent(mention, header))
                steps.pop()
            chain[header.name] = header

        visit(site)
    return tuple(chain.values())


def _refuse_circle(steps: list[tuple[Header, Mention]]) -> None:
    wanted = steps[-1][1].name
    names = [header.name for header, _ in steps]
    if wanted not in names:
        return
    circle = steps[names.index(wanted) :]
    drawn = " -> ".join([*(header.name for header, _ in circle), wanted])
    related = tuple(
        Related(f"then `{header.name}` extends `{mention.name}`", mention.origin) for header, mention in circle[1:]
    )
    message = f"the environments extend one another in a circle: {drawn}"
    hint = f"remove `{wanted}` from the `extends` of `{names[-1]}`"
    raise InputError([Diagnostic(message, circle[0][1].origin, hint, related)])
