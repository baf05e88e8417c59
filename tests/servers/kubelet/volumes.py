"""The volumes of a pod, filled and owned as the kubelet does it."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.servers.kubelet.api import TOKEN

_VERSIONS = itertools.count(1)


class Source(Protocol):
    """Where ConfigMaps, Secrets and the pod's own fields come from."""

    def configmap(self, name: str) -> Mapping[str, str]:
        """The data of a ConfigMap."""

    def secret(self, name: str) -> Mapping[str, str]:
        """The data of a Secret."""

    def field(self, reference: Mapping[str, Any]) -> str:
        """A field of the pod."""


@dataclass(frozen=True)
class Volume:
    """One volume of a pod in a directory of this machine."""

    spec: Mapping[str, Any]
    path: Path
    group: int | None

    @property
    def kept(self) -> bool:
        """Whether it outlives the pod."""
        return "persistentVolumeClaim" in self.spec

    @property
    def projected(self) -> bool:
        """Whether its files are a cluster's objects."""
        return bool({"configMap", "secret", "projected", "downwardAPI"} & set(self.spec))

    def prepare(self, source: Source) -> None:
        """As a new pod finds it."""
        if not self.kept:
            shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True, exist_ok=True)
        if self.projected:
            self.refresh(source)
        elif self.group is not None:
            self._own(self.path)

    def refresh(self, source: Source) -> None:
        """Bring its files to what the objects hold now, all at once (a link is turned over), as a running pod sees it."""
        version = self.path / f"..{next(_VERSIONS)}"
        wanted = dict(_files(self.spec, source))
        current = self.path / "..data"
        if current.is_symlink() and _same(current.resolve(), wanted):
            return
        for name, (text, mode) in wanted.items():
            place = version / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
            place.chmod(mode if self.group is None else mode | 0o440)
        version.mkdir(parents=True, exist_ok=True)
        for place in (version, *version.rglob("*")):
            os.chown(place, 0, self.group or 0)
            if place.is_dir():
                place.chmod(0o755)
        old = current.resolve() if current.is_symlink() else None
        turned = self.path / "..turned"
        turned.symlink_to(version.name)
        turned.replace(current)
        for name in wanted:
            link = self.path / name.split("/")[0]
            if not link.is_symlink():
                link.symlink_to(f"..data/{link.name}")
        for link in self.path.iterdir():
            if link.is_symlink() and not link.name.startswith("..") and not link.exists():
                link.unlink()
        if old is not None:
            shutil.rmtree(old)
        self.path.chmod(0o755)

    def _own(self, top: Path) -> None:
        """A volume that can be written belongs to the pod's group (``fsGroup``)."""
        assert self.group is not None
        for place in (top, *top.rglob("*")):
            if place.is_symlink() or not place.exists():
                continue
            os.chown(place, -1, self.group)
            mode = place.stat().st_mode & 0o7777
            place.chmod(mode | 0o2770 if place.is_dir() else mode | 0o660)


def _same(directory: Path, wanted: Mapping[str, tuple[str, int]]) -> bool:
    found = {p.relative_to(directory).as_posix(): p.read_text() for p in directory.rglob("*") if p.is_file()}
    return found == {name: text for name, (text, _) in wanted.items()}


def _files(spec: Mapping[str, Any], source: Source) -> list[tuple[str, tuple[str, int]]]:
    """Every file of a volume: its path, its text and its mode."""
    if "projected" in spec:
        default = spec["projected"].get("defaultMode", 0o644)
        return [file for part in spec["projected"]["sources"] for file in _part(part, default, source)]
    return _part(spec, 0o644, source)


def _part(part: Mapping[str, Any], default: int, source: Source) -> list[tuple[str, tuple[str, int]]]:
    if "configMap" in part:
        return _items(part["configMap"], source.configmap(part["configMap"]["name"]), default)
    if "secret" in part:
        name = part["secret"].get("secretName") or part["secret"]["name"]
        return _items(part["secret"], source.secret(name), default)
    if "downwardAPI" in part:
        return [(item["path"], (source.field(item), default)) for item in part["downwardAPI"]["items"]]
    if "serviceAccountToken" in part:
        account = source.field({"fieldRef": {"fieldPath": "spec.serviceAccountName"}})
        return [(part["serviceAccountToken"]["path"], (TOKEN + account, default))]
    message = f"the tests' kubelet does not know the volume source {sorted(part)}"
    raise NotImplementedError(message)


def _items(spec: Mapping[str, Any], data: Mapping[str, str], default: int) -> list[tuple[str, tuple[str, int]]]:
    mode = spec.get("defaultMode", default)
    if "items" in spec:
        return [(item["path"], (data[item["key"]], item.get("mode", mode))) for item in spec["items"]]
    return [(key, (text, mode)) for key, text in data.items()]
