"""A site that breaks a rule, and may answer for it."""

from __future__ import annotations

from typing import Final

import pytest

from tests.conftest import World

ENVIRONMENT: Final = """\
apiVersion: oscompile/v1alpha1
kind: Environment
metadata: {name: site}
kubernetes: {version: "1.35"}
secrets: {backend: external-secrets, store: vault}
instances:
  app: {chart: app}
"""
JOB: Final = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-sync
  namespace: {{ .Release.Namespace }}
spec:
  backoffLimit: 1000
  activeDeadlineSeconds: 600
  template:
    metadata: {labels: {app: sync}}
    spec:
      restartPolicy: OnFailure
      serviceAccountName: app-sync
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, runAsUser: 42424, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: sync
          image: "example.org/sync:1"
          resources: {requests: {cpu: 10m, memory: 32Mi}, limits: {memory: 32Mi}}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
"""
OTHERS: Final = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: app-sync, namespace: "{{ .Release.Namespace }}"}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: app-sync, namespace: "{{ .Release.Namespace }}"}
spec: {podSelector: {matchLabels: {app: sync}}, policyTypes: [Ingress, Egress]}
"""


@pytest.fixture
def broken(world: World) -> World:
    """A site with one Job that is retried a thousand times; its chart has a contract."""
    return world.write(
        {
            "environments/site/environment.yaml": ENVIRONMENT,
            "charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n",
            "charts/app/values.yaml": "{}\n",
            "charts/app/component.yaml": "apiVersion: oscompile/v1alpha1\nkind: Component\n"
            "components: {sync: {role: job}}\n",
            "charts/app/templates/job.yaml": JOB,
            "charts/app/templates/others.yaml": OTHERS,
        }
    )
