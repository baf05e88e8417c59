"""oscompile: a layered OpenStack site, compiled into ordered, reviewable Kubernetes manifests.

The front door: what other programs may rely on. Everything else may move.

>>> from compiler import compile_site, Compiled, Diagnostic, InputError, Request
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from compiler.errors import InputError, OscompileError
    from compiler.model.diagnostic import Diagnostic
    from compiler.pipeline import Compiled, Request, compile_site, deliver

__all__ = ["Compiled", "Diagnostic", "InputError", "OscompileError", "Request", "compile_site", "deliver"]

_HOMES: Final = {
    "Compiled": "compiler.pipeline",
    "Diagnostic": "compiler.model.diagnostic",
    "InputError": "compiler.errors",
    "OscompileError": "compiler.errors",
    "Request": "compiler.pipeline",
    "compile_site": "compiler.pipeline",
    "deliver": "compiler.pipeline",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562: a room is imported when it is asked for, not before
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
