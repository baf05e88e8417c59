{{- /* A pod that changes the schema. Keys: root, phase. */ -}}
{{- define "keystone.database" -}}
{{- $manage := include "keystone.manage" .root | fromYamlArray -}}
{{ include "keystone.wait" .root }}
containers:
  - {{- include "keystone.container" (dict "root" .root "name" .phase "resources" "database") | nindent 4 }}
    {{- if eq .phase "expand" }}
    # Nobody reads the old shape of a database that is new, so it is made whole.
    command:
      - bash
      - -euc
      - |
        set -o pipefail
        version=$("$@" db_version | tail -n 1)
        if [[ ${version} == None ]]; then
          "$@" db_sync
        else
          "$@" db_sync --expand
        fi
      - expand
      {{- toYaml $manage | nindent 6 }}
    {{- else }}
    command: {{ toJson (concat $manage (list "db_sync" "--contract")) }}
    {{- end }}
    env:
      {{- include "keystone.env" (dict "root" .root) | nindent 6 }}
    volumeMounts:
      {{- include "keystone.mounts" (dict "root" .root "files" (list "keystone.conf")) | nindent 6 }}
volumes:
  {{- include "keystone.volumes" (dict "root" .root "config" "db-expand") | nindent 2 }}
{{- end -}}
