"""A small kubelet: rendered objects as real containers of this machine.

Every pod has a network namespace and an address of its own, every container mount, process and host name namespaces
over a directory with Debian's servers (``root.py`` makes it). Files, environment, users, probes and hooks are the
manifests'; nothing is written by the tests but what a cluster would provide: addresses, names, Secrets and volumes.

What it does as a kubelet, a kube-proxy and the workload controllers do:

- init containers one after another, sidecars (``restartPolicy: Always``) until their startup probe passes, then the rest;
- a container that ends is started again (sooner than the real back-off would);
- startup, readiness and liveness probes as rendered: only ready pods are behind a Service, a failed liveness or startup
  probe kills the container. A pod becomes ready up to one period sooner than with the real kubelet, never unready sooner;
- preStop hooks, SIGTERM, the grace period, SIGKILL; sidecars last;
- a pod that is made anew has a new address; its claims are kept; ConfigMaps and Secrets change in running pods;
- a wall clock of its own for a pod that shall have one (programs that link the C library see it);
- the API for one Secret at a time, with the rights that Roles give (``api.py``);
- NetworkPolicies between pods (the tests' clients stand for the node: they may connect);
- a StatefulSet's order of starting, stopping and rolling, a Deployment's surge.

What it does not do: schedule, limit resources, cache DNS answers.
"""

from tests.servers.kubelet.certificates import Authority
from tests.servers.kubelet.cluster import Cluster, render
from tests.servers.kubelet.container import Verdict
from tests.servers.kubelet.pod import Completed, Pod
from tests.servers.kubelet.sandbox import ROOT

__all__ = ["ROOT", "Authority", "Cluster", "Completed", "Pod", "Verdict", "render"]
