{{- /*
abstract: Pod template of one of the chart's Jobs: its script with its own environment (`plain`); `backup` mounts the volume with the snapshots.
values: {}
usage: {{ include "ovn.job" (dict "root" $ "component" "backup" "role" "cron" "plain" (dict "KEEP" 7)) }}
return: {metadata: {}, spec: {containers: [], volumes: []}}
*/ -}}
{{- define "ovn.job" -}}
{{- $scripts := include "ovn.scripts" (dict "root" .root "names" (list (printf "%s.py" .component))) -}}
{{- $config := print $scripts (include "ovn.members" (dict "root" .root "kind" "nb")) (include "ovn.members" (dict "root" .root "kind" "sb")) -}}
{{- include "common.pod.template" (dict "root" .root "component" .component "role" .role "user" 42476 "config" $config "spec" (include "ovn.job.spec" .)) -}}
{{- end -}}

{{- /*
abstract: Some of the chart's scripts with what all of them share, as the data of a ConfigMap.
values: {}
usage: {{ include "ovn.scripts" (dict "root" $ "names" (list "resize.py")) }}
return: {ovsdb.py: text, resize.py: text}
*/ -}}
{{- define "ovn.scripts" -}}
{{- include "common.files" (dict "root" .root "names" (prepend .names "ovsdb.py")) -}}
{{- end -}}

{{- /*
abstract: Pod spec of one of the chart's Jobs.
values: {}
usage: {{ include "ovn.job.spec" (dict "root" $ "component" "backup") }}
return: {containers: [], volumes: []}
*/ -}}
{{- define "ovn.job.spec" -}}
{{- $values := .root.Values -}}
containers:
  - name: {{ .component }}
    image: {{ include "common.image" (dict "root" .root "image" "ovn-nb-db-server") }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    command: [python3, {{ $values.paths.scripts }}/{{ .component }}.py]
    env:
      {{- include "ovn.environment" (dict "root" .root "plain" .plain) | nindent 6 }}
    resources:
      {{- include "common.resources" (dict "root" .root "component" "jobs") | nindent 6 }}
    securityContext:
      {{- include "common.container.security" (dict "root" .root) | nindent 6 }}
    volumeMounts:
      {{- include "ovn.mounts" . | nindent 6 }}
      {{- if .backup }}
      - {name: backup, mountPath: {{ $values.paths.backup }}}
      {{- end }}
volumes:
  - name: scripts
    configMap:
      name: {{ include "common.names.name" (dict "root" .root "suffix" .component) }}
  {{- include "ovn.volumes" (dict "root" .root "component" "nb") | nindent 2 }}
  {{- if .backup }}
  - name: backup
    persistentVolumeClaim:
      claimName: {{ include "common.names.name" (dict "root" .root "suffix" "backup") }}
  {{- end }}
{{- end -}}

{{- /*
abstract: What one of the chart's Jobs needs beside itself: its script, its account, its way to the members.
values: {}
usage: {{ include "ovn.job.objects" (dict "root" $ "component" "backup") }}
return: [{kind: ConfigMap}, {kind: ServiceAccount}, {kind: NetworkPolicy}]
*/ -}}
{{- define "ovn.job.objects" -}}
{{- $egress := list -}}
{{- range $kind := list "nb" "sb" }}
{{- range $port := list (get $.root.Values.ports $kind) $.root.Values.ports.pages }}
{{- $egress = append $egress (dict "instance" $.root.Release.Name "chart" $.root.Chart.Name "component" $kind "port" $port) }}
{{- end }}
{{- end -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "common.metadata" (dict "root" .root "component" .component) | nindent 2 }}
data:
  {{- include "ovn.scripts" (dict "root" .root "names" (list (printf "%s.py" .component))) | nindent 2 }}
---
{{ include "common.serviceaccount" (dict "root" .root "component" .component) }}
---
{{ include "common.networkpolicy" (dict "root" .root "component" .component "egress" $egress) }}
{{- end -}}
