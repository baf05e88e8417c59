{{- /*
abstract: Number of members, checked. 1 in development.
values: {replicas: 3, global: {development: false}}
usage: {{ include "valkey.replicas" (dict "root" $) }}
return: 3
*/ -}}
{{- define "valkey.replicas" -}}
{{- include "common.quorum" (dict "root" .root "value" "replicas" "replicas" .root.Values.replicas "what" "the cluster") -}}
{{- end -}}

{{- /*
abstract: valkey.conf and users.acl of a server, without what only one member knows (start.py adds it). `conf.valkey` comes last and wins.
values: {}
usage: {{ include "valkey.config.server" (dict "root" $) }}
return: {valkey.conf: text, users.acl: text}
*/ -}}
{{- define "valkey.config.server" -}}
{{- $values := .root.Values -}}
{{- $memory := include "common.bytes" (dict "value" "memory" "quantity" $values.memory) | int64 -}}
{{- $volume := include "common.bytes" (dict "value" "storage.size" "quantity" $values.storage.size) | int64 -}}
{{- if gt (mul 4 $memory) $volume -}}
{{- fail (printf "`storage.size` must be at least four times `memory`, but is %v for %v: the append-only file grows to twice the data, and is there twice while it is rewritten." $values.storage.size $values.memory) -}}
{{- end -}}
{{- with dig "limits" "memory" "" $values.resources.server }}
{{- $limit := include "common.bytes" (dict "value" "resources.server.limits.memory" "quantity" .) | int64 -}}
{{- if (gt (add $memory (div $memory 2)) $limit) -}}
{{- fail (printf "`resources.server.limits.memory` must be at least one and a half times `memory`, but is %v for %v: rewriting the append-only file copies what changes meanwhile." . $values.memory) -}}
{{- end -}}
{{- end -}}
{{- if gt (mul 1000 $values.failover.lagSeconds) (int $values.failover.downAfter | mul 3) -}}
{{- fail (printf "`failover.lagSeconds` must be at most three times `failover.downAfter`, but is %v s for %v ms: a primary that is cut off must refuse writes about when another one takes them." $values.failover.lagSeconds $values.failover.downAfter) -}}
{{- end -}}
{{- $conf := dict
  "appendfsync" "always"
  "appendonly" "yes"
  "auto-aof-rewrite-min-size" "64mb"
  "bind" $values.address
  "client-output-buffer-limit" "replica 0 0 0"
  "databases" 16
  "loglevel" "notice"
  "maxclients" $values.connections
  "maxmemory" $memory
  "maxmemory-policy" $values.eviction
  "min-replicas-max-lag" $values.failover.lagSeconds
  "protected-mode" "no"
  "repl-backlog-size" "16mb"
  "repl-diskless-sync" "yes"
  "repl-diskless-sync-delay" 0
  "repl-ping-replica-period" 1
  "repl-timeout" 10
  "save" "\"\""
  "shutdown-timeout" 10
  "tcp-keepalive" 30
-}}
{{- $conf = merge (dict) $values.conf.valkey $conf (include "valkey.config.tls" . | fromYaml) -}}
{{- toYaml (dict "valkey.conf" (include "valkey.config.text" (dict "conf" $conf)) "users.acl" (include "valkey.config.users" .)) -}}
{{- end -}}

{{- /*
abstract: sentinel.conf and sentinel.acl, without what only one member knows (sentinel.py adds it). `conf.sentinel` comes last and wins.
values: {}
usage: {{ include "valkey.config.sentinel" (dict "root" $) }}
return: {sentinel.conf: text, sentinel.acl: text}
*/ -}}
{{- define "valkey.config.sentinel" -}}
{{- $values := .root.Values -}}
{{- $conf := dict "bind" $values.address "loglevel" "notice" "protected-mode" "no" "sentinel deny-scripts-reconfig" "yes" -}}
{{- $conf = merge (dict) $values.conf.sentinel $conf (include "valkey.config.tls" . | fromYaml) -}}
{{- toYaml (dict "sentinel.conf" (include "valkey.config.text" (dict "conf" $conf)) "sentinel.acl" (include "valkey.config.sentinelusers" .)) -}}
{{- end -}}

{{- /*
abstract: Options as Valkey's configuration files have them.
values: {}
usage: {{ include "valkey.config.text" (dict "conf" (dict "appendonly" "yes" "databases" 16)) }}
return: "appendonly yes\ndatabases 16\n"
*/ -}}
{{- define "valkey.config.text" -}}
{{- range $name, $value := .conf }}{{ printf "%s %v\n" $name (ternary (printf "%.0f" $value) $value (kindIs "float64" $value)) }}{{ end -}}
{{- end -}}

{{- /*
abstract: Options of servers and sentinels for TLS; nothing without it.
values: {tls: {enabled: true, clientAuth: true}, paths: {tls: /run/secrets/tls}}
usage: {{ include "valkey.config.tls" (dict "root" $) }}
return: {tls-auth-clients: "yes", tls-ca-cert-file: /run/secrets/tls/ca.crt, tls-cert-file: /run/secrets/tls/tls.crt, tls-key-file: /run/secrets/tls/tls.key, tls-replication: "yes"}
*/ -}}
{{- define "valkey.config.tls" -}}
{{- $values := .root.Values -}}
{{- if $values.tls.enabled -}}
tls-auth-clients: {{ ternary "yes" "optional" $values.tls.clientAuth | quote }}
tls-ca-cert-file: {{ $values.paths.tls }}/ca.crt
tls-cert-file: {{ $values.paths.tls }}/tls.crt
tls-key-file: {{ $values.paths.tls }}/tls.key
tls-replication: "yes"
{{- end -}}
{{- end -}}

{{- /*
abstract: The chart's own accounts of a server: each may do what it is for. A name in brackets is where start.py puts the digest of that password; consumers' accounts are added by the guard.
values: {}
usage: {{ include "valkey.config.users" (dict "root" $) }}
return: text
*/ -}}
{{- define "valkey.config.users" -}}
user default off
user admin on (admin) ~* &* +@all
user replica on (replication) +psync +replconf +ping
user sentinel on (sentinel) &* +multi +exec +slaveof +replicaof +ping +subscribe +publish +info +role +config|rewrite +client|setname +client|kill +script|kill
{{- if .root.Values.exporter.enabled }}
user monitor on (monitor) +ping +info +client|setname +latency|latest +latency|histogram +slowlog|get +slowlog|len
{{- end }}
{{ end -}}

{{- /*
abstract: The accounts of a sentinel: anybody may ask who the primary is, since not every client can log in there; its peers and the guard may do everything.
values: {}
usage: {{ include "valkey.config.sentinelusers" (dict "root" $) }}
return: text
*/ -}}
{{- define "valkey.config.sentinelusers" -}}
user default on nopass &* +auth +hello +ping +info +role +client|setname +client|setinfo +subscribe +psubscribe +unsubscribe +punsubscribe +sentinel|get-master-addr-by-name +sentinel|master +sentinel|masters +sentinel|replicas +sentinel|slaves +sentinel|sentinels
user sentinel on (sentinel) ~* &* +@all
{{ end -}}

{{- /*
abstract: What a consumer's account may do, as rules: everything harmless, with keys and channels that begin with its own prefix; `accounts.<consumer>` may say otherwise.
values: {accounts: {nova-cache: {keys: ["*"], commands: ["+@read"]}}}
usage: {{ include "valkey.config.rules" (dict "root" $ "key" "nova-cache" "consumer" (dict "prefix" "nova:")) }}
return: "~* &nova:* +@read"
*/ -}}
{{- define "valkey.config.rules" -}}
{{- $own := get (.root.Values.accounts | default dict) .key | default dict -}}
{{- $mine := list (printf "%s*" .consumer.prefix) -}}
{{- $rules := list -}}
{{- range $own.keys | default $mine }}{{ $rules = append $rules (printf "~%s" .) }}{{ end -}}
{{- range $own.channels | default $mine }}{{ $rules = append $rules (printf "&%s" .) }}{{ end -}}
{{- range $own.commands | default (list "+@all" "-@admin" "-@dangerous" "+info") }}{{ $rules = append $rules . }}{{ end -}}
{{- join " " $rules -}}
{{- end -}}

{{- /*
abstract: Some of the chart's scripts with what all of them share, as the data of a ConfigMap.
values: {}
usage: {{ include "valkey.scripts" (dict "root" $ "names" (list "start.py")) }}
return: {cluster.py: text, start.py: text}
*/ -}}
{{- define "valkey.scripts" -}}
{{- include "common.files" (dict "root" .root "names" (prepend .names "cluster.py")) -}}
{{- end -}}
