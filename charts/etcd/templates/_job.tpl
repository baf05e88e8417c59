{{- /*
abstract: Pod template of one of the chart's Jobs: its script with its own environment (`plain`); `backup` mounts the volume with the snapshots, `scratch` a directory that lives as long as the pod.
values: {}
usage: {{ include "etcd.job" (dict "root" $ "component" "defrag" "role" "cron" "plain" (dict "SHARE" 0.3)) }}
return: {metadata: {}, spec: {containers: [], volumes: []}}
*/ -}}
{{- define "etcd.job" -}}
{{- $scripts := include "etcd.scripts" (dict "root" .root "names" (list (printf "%s.py" .component))) -}}
{{- include "common.pod.template" (dict "root" .root "component" .component "role" .role "user" 42413 "config" $scripts "spec" (include "etcd.job.spec" .)) -}}
{{- end -}}

{{- /*
abstract: Pod spec of one of the chart's Jobs.
values: {}
usage: {{ include "etcd.job.spec" (dict "root" $ "component" "defrag") }}
return: {containers: [], volumes: []}
*/ -}}
{{- define "etcd.job.spec" -}}
{{- $values := .root.Values -}}
containers:
  - name: {{ .component }}
    image: {{ include "common.image" (dict "root" .root "image" "etcd") }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    command: [python3, {{ $values.paths.scripts }}/{{ .component }}.py]
    env:
      {{- include "etcd.environment" (dict "root" .root "plain" .plain) | nindent 6 }}
    resources:
      {{- include "common.resources" (dict "root" .root "component" "jobs") | nindent 6 }}
    securityContext:
      {{- include "common.container.security" (dict "root" .root) | nindent 6 }}
    volumeMounts:
      - {name: scripts, mountPath: {{ $values.paths.scripts }}, readOnly: true}
      {{- if .backup }}
      - {name: backup, mountPath: {{ $values.paths.backup }}}
      {{- end }}
      {{- if .scratch }}
      - {name: scratch, mountPath: {{ .scratch }}}
      {{- end }}
      {{- if $values.tls.enabled }}
      - {name: tls, mountPath: {{ $values.paths.tls }}, readOnly: true}
      {{- end }}
volumes:
  - name: scripts
    configMap:
      name: {{ include "common.names.name" (dict "root" .root "suffix" .component) }}
  {{- if .backup }}
  - name: backup
    persistentVolumeClaim:
      claimName: {{ include "common.names.name" (dict "root" .root "suffix" "backup") }}
  {{- end }}
  {{- if .scratch }}
  - name: scratch
    emptyDir: {}
  {{- end }}
  {{- include "common.tls.volume" (dict "root" .root "component" "server") | nindent 2 }}
{{- end -}}

{{- /*
abstract: What one of the chart's Jobs needs beside itself: its script, its account, its way to the members.
values: {}
usage: {{ include "etcd.job.objects" (dict "root" $ "component" "defrag") }}
return: [{kind: ConfigMap}, {kind: ServiceAccount}, {kind: NetworkPolicy}]
*/ -}}
{{- define "etcd.job.objects" -}}
{{- $root := .root -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "common.metadata" (dict "root" .root "component" .component) | nindent 2 }}
data:
  {{- include "etcd.scripts" (dict "root" .root "names" (list (printf "%s.py" .component))) | nindent 2 }}
---
{{ include "common.serviceaccount" (dict "root" .root "component" .component) }}
---
{{ include "common.networkpolicy" (dict "root" .root "component" .component "egress" (list (dict "instance" $root.Release.Name "chart" $root.Chart.Name "component" "server" "port" $root.Values.ports.client))) }}
{{- end -}}
