{{- /*
abstract: Pod template of one of the chart's Jobs: its script with its own environment, `plain` and `env` (list items); it has the administrator's account. With `client: true` it connects as consumers do, knowing only the authority.
values: {}
usage: {{ include "valkey.job" (dict "root" $ "component" "resize" "plain" (dict "WAIT_SECONDS" 120)) }}
return: {metadata: {}, spec: {containers: [], volumes: []}}
*/ -}}
{{- define "valkey.job" -}}
{{- $scripts := include "valkey.scripts" (dict "root" .root "names" (list (printf "%s.py" .component))) -}}
{{- include "common.pod.template" (dict "root" .root "component" .component "role" "job" "user" 42494 "config" $scripts "spec" (include "valkey.job.spec" .)) -}}
{{- end -}}

{{- /*
abstract: Pod spec of one of the chart's Jobs.
values: {}
usage: {{ include "valkey.job.spec" (dict "root" $ "component" "resize") }}
return: {containers: [], volumes: []}
*/ -}}
{{- define "valkey.job.spec" -}}
{{- $values := .root.Values -}}
containers:
  - name: {{ .component }}
    image: {{ include "common.image" (dict "root" .root "image" "valkey-server") }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    command: [python3, {{ $values.paths.scripts }}/{{ .component }}.py]
    env:
      {{- with .env }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- include "valkey.environment" (dict "root" .root "plain" .plain) | nindent 6 }}
    resources:
      {{- include "common.resources" (dict "root" .root "component" "jobs") | nindent 6 }}
    securityContext:
      {{- include "common.container.security" (dict "root" .root) | nindent 6 }}
    volumeMounts:
      - {name: scripts, mountPath: {{ $values.paths.scripts }}, readOnly: true}
      - {name: accounts, mountPath: {{ $values.paths.accounts }}, readOnly: true}
      {{- include "common.tls.mount" . | nindent 6 }}
volumes:
  - name: scripts
    configMap:
      name: {{ include "common.names.name" (dict "root" .root "suffix" .component) }}
  {{- include "valkey.accounts" (dict "root" .root "accounts" (list "admin")) | nindent 2 }}
  {{- include "common.tls.volume" (dict "root" .root "component" "server") | nindent 2 }}
{{- end -}}

{{- /*
abstract: What one of the chart's Jobs needs beside itself: its script, its account, its way to the members.
values: {}
usage: {{ include "valkey.job.objects" (dict "root" $ "component" "resize") }}
return: [{kind: ConfigMap}, {kind: ServiceAccount}, {kind: NetworkPolicy}]
*/ -}}
{{- define "valkey.job.objects" -}}
{{- $server := dict "instance" .root.Release.Name "chart" .root.Chart.Name "component" "server" -}}
{{- $ports := .root.Values.ports -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "common.metadata" (dict "root" .root "component" .component) | nindent 2 }}
data:
  {{- include "valkey.scripts" (dict "root" .root "names" (list (printf "%s.py" .component))) | nindent 2 }}
---
{{ include "common.serviceaccount" (dict "root" .root "component" .component) }}
---
{{ include "common.networkpolicy" (dict "root" .root "component" .component "egress" (list (merge (dict "port" $ports.sentinel) $server) (merge (dict "port" $ports.server) $server))) }}
{{- end -}}
