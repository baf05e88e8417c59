{{- /* Init containers of a pod that needs the database to start. */ -}}
{{- define "keystone.wait" -}}
{{- with .Values.bindings.database }}
initContainers:
  {{- include "common.wait" (dict "root" $ "image" "keystone" "targets" (list (dict "host" .host "port" .port))) | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* Name, image and what every container has. Keys: root, name, resources. */ -}}
{{- define "keystone.container" -}}
name: {{ .name }}
image: {{ include "common.image" (dict "root" .root "image" "keystone") }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- include "common.container.security" (dict "root" .root) | nindent 2 }}
resources:
  {{- include "common.resources" (dict "root" .root "component" .resources) | nindent 2 }}
{{- end -}}

{{- /* Environment of keystone's programs. Keys: root, timeout? (seconds for an answer of the database). */ -}}
{{- define "keystone.env" -}}
{{- $values := .root.Values -}}
- name: OS_KEYSTONE_CONFIG_DIR
  value: {{ $values.configDirectory }}
# The module that keeps instances apart in a shared cache, and the name it puts in front of keys.
- name: PYTHONPATH
  value: {{ $values.configDirectory }}/python
- name: KEYSTONE_INSTANCE
  value: {{ .root.Release.Namespace }}.{{ .root.Release.Name }}
{{ include "common.oslo.database" (dict "root" .root "binding" $values.bindings.database "secret" "database" "timeout" .timeout "authority" (printf "%s/authority/ca.crt" $values.configDirectory)) }}
{{- end -}}

{{- /* keystone-manage with its file. */ -}}
{{- define "keystone.manage" -}}
[keystone-manage, --config-file, {{ .Values.configDirectory }}/keystone.conf]
{{- end -}}

{{- /* Mounts of files from the component's ConfigMap into the configuration directory, which the image has files of its own in. Keys: root, files. */ -}}
{{- define "keystone.mounts" -}}
{{- range .files }}
- name: config
  mountPath: {{ $.root.Values.configDirectory }}/{{ hasSuffix ".py" . | ternary "python/" "" }}{{ . }}
  subPath: {{ . }}
  readOnly: true
{{- end }}
- {name: tmp, mountPath: /tmp}
{{- if include "common.tls.client" (dict "bindings" .root.Values.bindings) }}
- {name: authority, mountPath: {{ .root.Values.configDirectory }}/authority, readOnly: true}
{{- end }}
{{- end -}}

{{- /* The volumes of those mounts. Keys: root, config (suffix of the ConfigMap's name). */ -}}
{{- define "keystone.volumes" -}}
- name: config
  configMap: {name: {{ include "common.names.name" (dict "root" .root "suffix" .config) }}}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: 64Mi}
{{ include "common.tls.client.volume" (dict "root" .root "bindings" .root.Values.bindings) }}
{{- end -}}

{{- /* Mounts and volumes of keys. Whole directories: a file mounted by itself would never change again. */ -}}
{{- define "keystone.mounts.keys" -}}
- {name: fernet, mountPath: {{ .Values.configDirectory }}/fernet-keys, readOnly: true}
- {name: credential, mountPath: {{ .Values.configDirectory }}/credential-keys, readOnly: true}
{{- end -}}

{{- define "keystone.volumes.keys" -}}
{{- range list "fernet" "credential" }}
- name: {{ . }}
  secret: {secretName: {{ include "common.names.name" (dict "root" $ "suffix" .) }}, defaultMode: 0440}
{{- end }}
{{- end -}}
