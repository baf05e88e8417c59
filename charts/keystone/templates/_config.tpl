{{- /* What the chart knows and the values do not: directories, and what is bound. Values win. */ -}}
{{- define "keystone.known" -}}
{{- $keys := printf "%s/fernet-keys" .Values.configDirectory -}}
fernet_tokens: {key_repository: {{ $keys }}}
fernet_receipts: {key_repository: {{ $keys }}}
credential: {key_repository: {{ .Values.configDirectory }}/credential-keys}
cache:
  enabled: {{ not (empty .Values.bindings.cache) }}
  {{- with .Values.bindings.cache }}
  memcache_servers: {{ include "common.oslo.cache" (dict "binding" .) }}
  proxies: keystone_instance_cache.InstanceProxy
  {{- end }}
{{- if (.Values.bindings.notifications | default dict).tls }}
oslo_messaging_rabbit: {ssl: true, ssl_ca_file: {{ .Values.configDirectory }}/authority/ca.crt}
{{- end }}
oslo_messaging_notifications: {driver: {{ ternary "messagingv2" "noop" (not (empty .Values.bindings.notifications)) }}}
{{- if .Values.conf.policy }}
oslo_policy: {policy_file: {{ .Values.configDirectory }}/policy.yaml}
{{- end }}
{{- end -}}

{{- /* The sections of keystone.conf, as JSON. */ -}}
{{- define "keystone.sections" -}}
{{- $sections := mergeOverwrite (include "keystone.known" . | fromYaml) (deepCopy .Values.conf.keystone) -}}
{{- include "common.oslo.rules" (dict "sections" $sections) -}}
{{- toJson $sections -}}
{{- end -}}

{{- /* Text of uwsgi.ini. */ -}}
{{- define "keystone.uwsgi" -}}
{{- $known := dict "module" "keystone.wsgi.api:application" "http-socket" (printf "%s:5000" .Values.listen.address) "stats" .Values.listen.stats "harakiri" .Values.requestSeconds "worker-reload-mercy" .Values.requestSeconds -}}
{{- include "common.oslo.ini" (dict "sections" (dict "uwsgi" (mergeOverwrite $known (deepCopy .Values.conf.uwsgi)))) -}}
{{- end -}}

{{- /* Files by component. A component's pods roll when its own files change, and only then. */ -}}
{{- define "keystone.files.api" -}}
keystone.conf: |
  {{- include "common.oslo.ini" (dict "sections" (include "keystone.sections" . | fromJson)) | trim | nindent 2 }}
uwsgi.ini: |
  {{- include "keystone.uwsgi" . | trim | nindent 2 }}
keystone_instance_cache.py: |
  {{- .Files.Get "files/keystone_instance_cache.py" | trim | nindent 2 }}
{{- with .Values.conf.policy }}
policy.yaml: |
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* The bootstrap writes to the database and forgets what the API has cached of it. It tells nobody. */ -}}
{{- define "keystone.files.bootstrap" -}}
keystone.conf: |
  {{- include "common.oslo.ini" (dict "sections" (omit (include "keystone.sections" . | fromJson) "oslo_messaging_notifications" "oslo_messaging_rabbit" "oslo_middleware" "oslo_policy")) | trim | nindent 2 }}
keystone_instance_cache.py: |
  {{- .Files.Get "files/keystone_instance_cache.py" | trim | nindent 2 }}
{{- end -}}

{{- /* What keystone-manage needs to reach the database: for both phases of the schema, and to encrypt credentials anew. */ -}}
{{- define "keystone.files.db-expand" -}}
keystone.conf: |
  {{- include "common.oslo.ini" (dict "sections" (pick (include "keystone.sections" . | fromJson) "DEFAULT" "database")) | trim | nindent 2 }}
{{- end -}}

{{- define "keystone.files.fernet-rotate" -}}
rotate.py: |
  {{- .Files.Get "files/rotate.py" | trim | nindent 2 }}
{{- end -}}
