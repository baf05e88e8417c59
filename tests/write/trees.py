"""Small trees, as ``lay_out`` makes large ones."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from compiler.model.names import EnvironmentName
from compiler.model.tree import Tree


def tree_of(files: Mapping[str, str], site: str = "site-a", repository: Path | None = None) -> Tree:
    """A tree of ``files`` and the index that lists them."""
    objects = [
        {
            "path": path,
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "instance": path.split("/")[1] if path.count("/") > 1 else "",
            "component": None,
            "wave": 0,
            "template": "",
        }
        for path, text in sorted(files.items())
    ]
    index = {
        "apiVersion": "oscompile/v1alpha1",
        "kind": "Index",
        "schema": "index.v1",
        "compiler": {"version": "0.1.0"},
        "site": {"name": site, "file": f"environments/{site}/environment.yaml", "origins": {}},
        "layers": [],
        "objects": objects,
        "documents": [],
    }
    content = {**files, "index.json": json.dumps(index, indent=2)}
    return Tree({path: content[path].encode() for path in sorted(content)}, EnvironmentName(site), repository)


def seen(directory: Path) -> dict[str, str]:
    """What a directory holds: every file's text, where a link leads to, every empty folder."""
    found: dict[str, str] = {}
    for folder, folders, files in os.walk(directory):
        here = Path(folder)
        for name in files:
            path = here / name
            text = f"-> {path.readlink()}" if path.is_symlink() else path.read_text(encoding="utf-8")
            found[path.relative_to(directory).as_posix()] = text
        if not folders and not files and here != directory:
            found[f"{here.relative_to(directory).as_posix()}/"] = ""
    return found


def texts(tree: Tree) -> dict[str, str]:
    """What a directory that holds exactly ``tree`` is seen to hold."""
    return {path: content.decode() for path, content in tree.files.items()}
