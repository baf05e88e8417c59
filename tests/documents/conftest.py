"""Helm's own reading of YAML, the oracle of these tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from helm_python import _native
from helm_python.errors import HelmError

from compiler.model.data import Data
from tests.documents.oracle import Oracle, Refused


@pytest.fixture(scope="session")
def helm_reads() -> Oracle:
    """How ``sigs.k8s.io/yaml`` reads a map, by way of the engine's reader of values files."""

    def read(text: str) -> Data:
        try:
            found: Data = json.loads(_native.call_string("helm_values_from_yaml", text.encode()))
        except HelmError as error:
            raise Refused from error
        return found

    return read


@pytest.fixture(scope="session")
def template_reads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    """How a real template reads a text: ``fromYaml | toJson``."""
    chart = tmp_path_factory.mktemp("chart")
    (chart / "templates").mkdir()
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: oracle\nversion: 1.0.0\n", encoding="utf-8")
    (chart / "templates" / "read.json").write_text("{{ .Values.text | fromYaml | toJson }}", encoding="utf-8")
    handle = _native.call_handle("helm_chart_load", str(Path(chart)).encode())

    def read(text: str) -> Data:
        options = json.dumps({"name": "oracle", "namespace": "default"}).encode()
        files = json.loads(_native.call_string("helm_render", handle, json.dumps({"text": text}).encode(), options))
        found: Data = json.loads(files["oracle/templates/read.json"])
        if isinstance(found, dict) and found.keys() == {"Error"}:
            raise Refused
        return found

    yield read
    _native.call_status("helm_chart_free", handle)
