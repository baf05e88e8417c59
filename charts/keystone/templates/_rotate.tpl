{{- /* A run that rotates the keys of one Secret. Keys: root, secret (fernet or credential). */ -}}
{{- define "keystone.rotate" -}}
{{- $values := .root.Values -}}
{{- $token := dig "token" dict $values.conf.keystone -}}
{{- if eq .secret "credential" }}
{{ include "keystone.wait" .root }}
{{- end }}
containers:
  - {{- include "keystone.container" (dict "root" .root "name" "rotate" "resources" "rotate") | nindent 4 }}
    command:
      - python3
      - {{ $values.configDirectory }}/scripts/rotate.py
      {{- if eq .secret "credential" }}
      # Before and after a rotation everything is encrypted anew.
      {{- append (include "keystone.manage" .root | fromYamlArray) "credential_migrate" | toYaml | nindent 6 }}
      {{- end }}
    env:
      - name: NAMESPACE
        value: {{ .root.Release.Namespace }}
      - name: SECRET
        value: {{ include "common.names.name" (dict "root" .root "suffix" .secret) }}
      - name: STAGED_SECONDS
        value: {{ $values.keys.stagedSeconds | quote }}
      {{- if eq .secret "fernet" }}
      # As long as a token made in the last moment may be shown, and time for the last pod to learn of the rotation.
      - name: RETIRED_SECONDS
        value: {{ add (dig "expiration" 3600 $token) (dig "allow_expired_window" 172800 $token) $values.keys.stagedSeconds | quote }}
      {{- else }}
      {{- include "keystone.env" (dict "root" .root) | nindent 6 }}
      # keystone-manage insists on a repository for tokens, although it makes none here.
      {{- range list "OS_CREDENTIAL" "OS_FERNET_TOKENS" "OS_FERNET_RECEIPTS" }}
      - name: {{ . }}__KEY_REPOSITORY
        value: {{ $values.configDirectory }}/present-keys
      {{- end }}
      - name: KEY_DIRECTORY
        value: {{ $values.configDirectory }}/present-keys
      {{- end }}
    volumeMounts:
      - {name: scripts, mountPath: {{ $values.configDirectory }}/scripts, readOnly: true}
      {{- if eq .secret "credential" }}
      {{- include "keystone.mounts" (dict "root" .root "files" (list "keystone.conf")) | nindent 6 }}
      - {name: keys, mountPath: {{ $values.configDirectory }}/present-keys}
      {{- end }}
volumes:
  - name: scripts
    configMap: {name: {{ include "common.names.name" (dict "root" .root "suffix" "fernet-rotate") }}}
  {{- if eq .secret "credential" }}
  {{- include "keystone.volumes" (dict "root" .root "config" "db-expand") | nindent 2 }}
  - name: keys
    emptyDir: {medium: Memory, sizeLimit: 1Mi}
  {{- end }}
{{- end -}}
