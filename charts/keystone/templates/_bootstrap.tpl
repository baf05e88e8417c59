{{- /* URL of an endpoint as the catalogue shows it. Keys: root, interface. */ -}}
{{- define "keystone.endpoint" -}}
{{- get .root.Values.bootstrap.endpoints .interface | default (printf "http://%s:5000/v3" (include "common.names.host" (dict "root" .root "component" "api"))) -}}
{{- end -}}

{{- define "keystone.bootstrap" -}}
{{ include "keystone.wait" . }}
containers:
  - {{- include "keystone.container" (dict "root" $ "name" "bootstrap" "resources" "bootstrap") | nindent 4 }}
    command:
      {{- include "keystone.manage" . | fromYamlArray | toYaml | nindent 6 }}
      - bootstrap
      - --bootstrap-username={{ .Values.bootstrap.username }}
      - --bootstrap-project-name={{ .Values.bootstrap.project }}
      - --bootstrap-region-id={{ coalesce .Values.bootstrap.region .Values.global.region "RegionOne" }}
      {{- range list "public" "internal" "admin" }}
      - --bootstrap-{{ . }}-url={{ include "keystone.endpoint" (dict "root" $ "interface" .) }}
      {{- end }}
    env:
      {{- include "keystone.env" (dict "root" $) | nindent 6 }}
      {{- include "common.env.secret" (dict "name" "OS_BOOTSTRAP_PASSWORD" "secret" (include "common.names.name" (dict "root" $ "suffix" "admin")) "key" "password") | nindent 6 }}
    volumeMounts:
      {{- include "keystone.mounts" (dict "root" $ "files" (list "keystone.conf" "keystone_instance_cache.py")) | nindent 6 }}
      {{- include "keystone.mounts.keys" . | nindent 6 }}
volumes:
  {{- include "keystone.volumes" (dict "root" $ "config" "bootstrap") | nindent 2 }}
  {{- include "keystone.volumes.keys" . | nindent 2 }}
{{- end -}}
