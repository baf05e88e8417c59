"""One state of a Git repository, as engines read it: paths, and the objects in each file."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from compiler.engines.objects import Applied
from compiler.relations.untyped import Map, mapping

_MANIFEST: Final = re.compile(r".*\.(ya?ml|json|jsonnet)")
_LISTING: Final = "kustomization.yaml"


class Revision:
    """A commit: its name, and the objects of every file of the repository.

    ``skipped`` are files that hold ``+argocd:skip-file-rendering``; ``listings`` are the resources of each
    ``kustomization.yaml``.
    """

    __slots__ = ("_paths", "files", "listings", "name", "skipped")

    def __init__(
        self,
        name: str,
        files: Mapping[str, tuple[Applied, ...]],
        skipped: frozenset[str] = frozenset(),
        listings: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    ) -> None:
        self.name, self.files, self.skipped, self.listings = name, files, skipped, listings
        self._paths = sorted(files)

    def _under(self, base: str) -> Iterator[tuple[str, str]]:
        """Every file below a folder, in order: its path, and what is left of it there."""
        if base == ".":
            yield from ((path, path) for path in self._paths)
            return
        for at in range(bisect_left(self._paths, f"{base}/"), len(self._paths)):
            path = self._paths[at]
            if not path.startswith(f"{base}/"):
                return
            yield path, path[len(base) + 1 :]

    def holds(self, path: str) -> bool:
        """Whether there is a folder of that path: whether there is a file in it."""
        return next(self._under(posixpath.normpath(path)), None) is not None

    def folder(self, path: str) -> Iterator[Applied]:
        """The objects of the files that lie directly in a folder."""
        for each, below in self._under(posixpath.normpath(path)):
            if "/" not in below:
                yield from self.files[each]

    def directory(self, source: Map) -> Iterator[Applied]:
        """What Argo CD reads of a directory source: every manifest file of the folder, and below with ``recurse``.

        Source: argo-cd, ``reposerver/repository/repository.go`` (``getPotentiallyValidManifestFile``).
        """
        base = posixpath.normpath(str(source.get("path", ".")))
        options = mapping(source, "directory")
        include, exclude = (_glob(str(options.get(key, ""))) for key in ("include", "exclude"))
        for path, below in self._under(base):
            if ("/" in below and not options.get("recurse")) or path in self.skipped:
                continue
            if not _MANIFEST.fullmatch(posixpath.basename(path)):
                continue
            if (include and not include.fullmatch(below)) or (exclude and exclude.fullmatch(below)):
                continue
            yield from self.files[path]

    def built(self, path: str) -> Iterator[Applied]:
        """What Flux builds of a path: the resources that its ``kustomization.yaml`` lists, else every manifest below.

        Source: fluxcd/pkg, ``kustomize/kustomize_generator.go``.
        """
        base = posixpath.normpath(path)
        listing = self.listings.get(posixpath.normpath(f"{base}/{_LISTING}"))
        if listing is None:
            for each, _ in self._under(base):
                if _MANIFEST.fullmatch(posixpath.basename(each)):
                    yield from self.files[each]
            return
        for name in listing:
            target = posixpath.normpath(f"{base}/{name}")
            yield from self.files[target] if target in self.files else self.built(target)


def _glob(pattern: str) -> re.Pattern[str] | None:
    """gobwas/glob without separators, as Argo CD uses it: ``*`` matches slashes too, ``{a,b}`` is either."""
    if not pattern:
        return None
    alternatives = pattern[1:-1].split(",") if pattern.startswith("{") else [pattern]
    return re.compile("|".join(".*".join(re.escape(part) for part in one.split("*")) for one in alternatives))
