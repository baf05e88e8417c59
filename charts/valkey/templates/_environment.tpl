{{- /*
abstract: Environment that every script of the chart reads, as list items. `plain` is added.
values: {}
usage: {{ include "valkey.environment" (dict "root" $ "plain" (dict "WAIT_SECONDS" 7)) }}
return: [{name: MEMBERS, value: text}]
*/ -}}
{{- define "valkey.environment" -}}
{{- $values := .root.Values -}}
{{- $members := include "common.names.members" (dict "root" .root "component" "server" "replicas" (include "valkey.replicas" .)) | fromJsonArray -}}
{{- $plain := dict
  "ACCOUNTS" $values.paths.accounts
  "MEMBERS" (join " " $members)
  "NAME" .root.Release.Name
  "PYTHONDONTWRITEBYTECODE" 1
  "PYTHONUNBUFFERED" 1
  "SENTINEL_PORT" $values.ports.sentinel
  "SERVER_PORT" $values.ports.server
-}}
{{- if $values.tls.enabled }}{{ $_ := set $plain "TLS" $values.paths.tls }}{{ end -}}
{{- range $name, $value := merge $plain (.plain | default dict) }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}

{{- /*
abstract: Environment that a member's server and sentinel share, as list items. `plain` is added.
values: {}
usage: {{ include "valkey.environment.member" (dict "root" $) }}
return: [{name: POD_NAME, value: text}]
*/ -}}
{{- define "valkey.environment.member" -}}
{{- $paths := .root.Values.paths -}}
- {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
{{- $plain := dict "CONFIG" $paths.config "DOMAIN" (include "common.names.domain" (dict "root" .root "component" "server")) "RUN" $paths.run "VOLUME" $paths.volume }}
{{- include "valkey.environment" (dict "root" .root "plain" (merge $plain (.plain | default dict))) }}
{{- end -}}

{{- /*
abstract: The volume `accounts`, as a list item: passwords of the chart's own accounts, one file each.
values: {}
usage: {{ include "valkey.accounts" (dict "root" $ "accounts" (list "admin")) }}
return: [{name: accounts, projected: {defaultMode: 0440, sources: [{secret: {name: demo-admin, items: [{key: password, path: admin}]}}]}}]
*/ -}}
{{- define "valkey.accounts" -}}
- name: accounts
  projected:
    defaultMode: 0440
    sources:
      {{- range .accounts }}
      - secret:
          name: {{ include "common.names.name" (dict "root" $.root "suffix" .) }}
          items: [{key: password, path: {{ . }}}]
      {{- end }}
{{- end -}}
