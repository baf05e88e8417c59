{{- /*
abstract: etcd.json, etcd's configuration file without what only one member knows (start.py adds it). `conf.etcd` comes last and wins.
values: {}
usage: {{ include "etcd.config" (dict "root" $) }}
return: {etcd.json: text}
*/ -}}
{{- define "etcd.config" -}}
{{- $values := .root.Values -}}
{{- $quota := include "common.bytes" (dict "value" "quota" "quantity" $values.quota) | int64 -}}
{{- $volume := include "common.bytes" (dict "value" "storage.size" "quantity" $values.storage.size) | int64 -}}
{{- if gt (mul 2 $quota) $volume -}}
{{- fail (printf "`storage.size` must be at least twice `quota`, but is %v for %v: a store that is rewritten is there twice." $values.storage.size $values.quota) -}}
{{- end -}}
{{- if lt (int $values.timing.election) (mul 5 $values.timing.heartbeat) -}}
{{- fail (printf "`timing.election` must be at least five times `timing.heartbeat`, but is %v for %v. Ten times is usual." $values.timing.election $values.timing.heartbeat) -}}
{{- end -}}
{{- $conf := dict
  "auto-compaction-mode" $values.compaction.mode
  "auto-compaction-retention" (toString $values.compaction.retention)
  "election-timeout" (int $values.timing.election)
  "enable-grpc-gateway" true
  "experimental-initial-corrupt-check" true
  "heartbeat-interval" (int $values.timing.heartbeat)
  "initial-cluster-token" (printf "%s/%s" .root.Release.Namespace .root.Release.Name)
  "log-level" "info"
  "log-outputs" (list "stderr")
  "logger" "zap"
  "quota-backend-bytes" $quota
  "strict-reconfig-check" true
-}}
{{- if $values.tls.enabled -}}
{{- $files := dict
  "cert-file" (printf "%s/tls.crt" $values.paths.tls)
  "key-file" (printf "%s/tls.key" $values.paths.tls)
  "trusted-ca-file" (printf "%s/ca.crt" $values.paths.tls)
-}}
{{- $_ := set $conf "client-transport-security" (merge (dict "client-cert-auth" $values.tls.clientAuth) $files) -}}
{{- /* Members are known by their certificates' authority: a pod's address is another one after each start. */ -}}
{{- $_ := set $conf "peer-transport-security" (merge (dict "client-cert-auth" true "skip-client-san-verification" true) $files) -}}
{{- end -}}
{{- toYaml (dict "etcd.json" (printf "%s\n" (mergeOverwrite $conf $values.conf.etcd | toPrettyJson))) -}}
{{- end -}}

{{- /*
abstract: Some of the chart's scripts with what all of them share, as the data of a ConfigMap.
values: {}
usage: {{ include "etcd.scripts" (dict "root" $ "names" (list "start.py")) }}
return: {cluster.py: text, start.py: text}
*/ -}}
{{- define "etcd.scripts" -}}
{{- include "common.files" (dict "root" .root "names" (prepend .names "cluster.py")) -}}
{{- end -}}

{{- /*
abstract: Number of members, checked. 1 in development.
values: {replicas: 3, global: {development: false}}
usage: {{ include "etcd.replicas" (dict "root" $) }}
return: 3
*/ -}}
{{- define "etcd.replicas" -}}
{{- include "common.quorum" (dict "root" .root "value" "replicas" "replicas" .root.Values.replicas "what" "the cluster") -}}
{{- end -}}
