"""Files as values: the one reader and the one writer of YAML, and Jsonnet.

Every room that touches a document does it here, so a scalar has one meaning in the whole compiler: the one that
``sigs.k8s.io/yaml`` gives it, because that is what Kubernetes, Helm, Argo CD and Flux will give it.
"""

from compiler.documents.emit import emit
from compiler.documents.read import read
from compiler.documents.yaml import parse_node, parse_stream

__all__ = ["emit", "parse_node", "parse_stream", "read"]
