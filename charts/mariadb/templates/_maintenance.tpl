{{- /*
abstract: Pod template of the backup or the restore: its script with its own environment (`plain`), the administrator's credential, the volume with the backups.
values: {}
usage: {{ include "mariadb.maintenance" (dict "root" $ "component" "backup" "role" "cron" "plain" (dict "KEEP" 7)) }}
return: {metadata: {}, spec: {containers: [], volumes: []}}
*/ -}}
{{- define "mariadb.maintenance" -}}
{{- $scripts := include "mariadb.maintenance.scripts" . -}}
{{- include "common.pod.template" (dict "root" .root "component" .component "role" .role "user" 42434 "config" $scripts "spec" (include "mariadb.maintenance.spec" .)) -}}
{{- end -}}

{{- /*
abstract: Scripts of the backup or the restore, as the data of a ConfigMap.
values: {}
usage: {{ include "mariadb.maintenance.scripts" (dict "root" $ "component" "backup") }}
return: {backup.py: text, dump.py: text}
*/ -}}
{{- define "mariadb.maintenance.scripts" -}}
{{- $scripts := dict -}}
{{- range list "dump.py" (printf "%s.py" .component) }}{{ $_ := set $scripts . ($.root.Files.Get (printf "files/%s" .)) }}{{ end -}}
{{- toYaml $scripts -}}
{{- end -}}

{{- /*
abstract: Pod spec of the backup or the restore.
values: {}
usage: {{ include "mariadb.maintenance.spec" (dict "root" $ "component" "backup" "plain" (dict "KEEP" 7)) }}
return: {containers: [], volumes: []}
*/ -}}
{{- define "mariadb.maintenance.spec" -}}
{{- $values := .root.Values -}}
containers:
  - name: {{ .component }}
    image: {{ include "common.image" (dict "root" .root "image" "mariadb-server") }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    command: [python3, {{ $values.paths.scripts }}/{{ .component }}.py]
    env:
      {{- include "common.env.secret" (dict "name" "ADMIN_PASSWORD" "secret" (include "common.names.name" (dict "root" .root "suffix" "root")) "key" "password") | nindent 6 }}
      {{- $plain := merge (dict "PLACE" $values.paths.backup "PORT" $values.ports.mysql "PYTHONDONTWRITEBYTECODE" 1) .plain }}
      {{- if $values.tls.enabled }}{{ $_ := set $plain "TLS" $values.paths.tls }}{{ end }}
      {{- range $name, $value := $plain }}
      - {name: {{ $name }}, value: {{ $value | quote }}}
      {{- end }}
    resources:
      {{- include "common.resources" (dict "root" .root "component" "backup") | nindent 6 }}
    securityContext:
      {{- include "common.container.security" (dict "root" .root) | nindent 6 }}
    volumeMounts:
      - {name: scripts, mountPath: {{ $values.paths.scripts }}, readOnly: true}
      - {name: backup, mountPath: {{ $values.paths.backup }}}
      {{- include "common.tls.mount" . | nindent 6 }}
volumes:
  {{- include "common.tls.volume" (dict "root" .root "component" "server" "authority" true) | nindent 2 }}
  - name: scripts
    configMap:
      name: {{ include "common.names.name" (dict "root" .root "suffix" .component) }}
  - name: backup
    persistentVolumeClaim:
      claimName: {{ include "common.names.name" (dict "root" .root "suffix" "backup") }}
{{- end -}}

{{- /*
abstract: What the backup or the restore needs beside itself: scripts, account, and its way to `to`, another component.
values: {}
usage: {{ include "mariadb.maintenance.objects" (dict "root" $ "component" "backup" "to" "server") }}
return: [{kind: ConfigMap}, {kind: ServiceAccount}, {kind: NetworkPolicy}]
*/ -}}
{{- define "mariadb.maintenance.objects" -}}
{{- $root := .root -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "common.metadata" (dict "root" .root "component" .component) | nindent 2 }}
data:
  {{- include "mariadb.maintenance.scripts" . | nindent 2 }}
---
{{ include "common.serviceaccount" (dict "root" .root "component" .component) }}
---
{{ include "common.networkpolicy" (dict "root" .root "component" .component "egress" (list (dict "instance" $root.Release.Name "chart" $root.Chart.Name "component" .to "port" $root.Values.ports.mysql))) }}
{{- end -}}
