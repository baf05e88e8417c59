{{- /*
abstract: Environment that every script of the chart reads, and etcdctl (also in `kubectl exec`), as list items. `plain` is added.
values: {}
usage: {{ include "etcd.environment" (dict "root" $ "plain" (dict "KEEP" 7)) }}
return: [{name: MEMBERS, value: text}]
*/ -}}
{{- define "etcd.environment" -}}
{{- $values := .root.Values -}}
{{- $scheme := ternary "https" "http" $values.tls.enabled -}}
{{- $replicas := include "etcd.replicas" . -}}
{{- $plain := dict
  "CLIENT_PORT" $values.ports.client
  "ETCDCTL_ENDPOINTS" (printf "%s://%s:%v" $scheme (include "common.names.host" (dict "root" .root "component" "server")) $values.ports.client)
  "MEMBERS" (include "common.names.members" (dict "root" .root "component" "server" "replicas" $replicas) | fromJsonArray | join " ")
  "METRICS_PORT" $values.ports.metrics
  "PATH" $values.paths.programs
  "PEER_PORT" $values.ports.peer
  "PYTHONDONTWRITEBYTECODE" 1
  "PYTHONUNBUFFERED" 1
  "SCHEME" $scheme
-}}
{{- if $values.tls.enabled -}}
{{- $plain = merge $plain (dict
  "ETCDCTL_CACERT" (printf "%s/ca.crt" $values.paths.tls)
  "ETCDCTL_CERT" (printf "%s/tls.crt" $values.paths.tls)
  "ETCDCTL_KEY" (printf "%s/tls.key" $values.paths.tls)
) -}}
{{- end -}}
{{- range $name, $value := merge $plain (.plain | default dict) }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}
