{{- /*
abstract: Name of the Galera group: unique for the instance, at most 32 characters, so that two clusters never take each other for themselves.
values: {}
usage: {{ include "mariadb.group" (dict "root" $) }}
return: demo-e4a0bc52
*/ -}}
{{- define "mariadb.group" -}}
{{- printf "%s-%s" (trunc 20 .root.Release.Name | trimSuffix "-") (printf "%s/%s" .root.Release.Namespace .root.Release.Name | sha256sum | trunc 8) -}}
{{- end -}}

{{- /*
abstract: Files of the server, as the data of a ConfigMap. Addresses and directories are added by start.py; `conf` comes last and wins.
values: {}
usage: {{ include "mariadb.config" (dict "root" $) }}
return: {server.cnf: text}
*/ -}}
{{- define "mariadb.config" -}}
{{- $values := .root.Values -}}
{{- $name := include "common.names.name" (dict "root" .root "suffix" "server") -}}
{{- $replicas := include "mariadb.replicas" . | int -}}
server.cnf: |
  [mysqld]
  # A member starts read-only. Its agent opens it once it is synced and stands in a majority.
  read_only = ON
  skip_name_resolve = ON
  max_connections = {{ int $values.server.maxConnections }}
  max_allowed_packet = 64M

  character_set_server = utf8mb4
  collation_server = {{ $values.server.collation }}

  # What is acknowledged is on disk, whole, also when every host loses power at once.
  innodb_flush_log_at_trx_commit = 1
  innodb_doublewrite = ON
  sync_binlog = 1
  innodb_buffer_pool_size = {{ include "mariadb.bufferpool" . }}
  innodb_log_file_size = {{ include "mariadb.bytes" (dict "name" "server.redoLog" "quantity" $values.server.redoLog) }}

  # Galera replicates rows of InnoDB tables, and needs this locking for generated keys.
  default_storage_engine = InnoDB
  binlog_format = ROW
  innodb_autoinc_lock_mode = 2

  wsrep_on = ON
  wsrep_provider = {{ $values.galera.provider }}
  wsrep_cluster_name = {{ include "mariadb.group" . }}
  wsrep_slave_threads = {{ int $values.galera.applierThreads }}
  # A full copy does not block the donor. It runs as the server's own user, whom the server knows by the socket: no password.
  wsrep_sst_method = mariabackup
  wsrep_sst_auth = mysql:
  # The last member gives it first; member 0, which has the clients, last; the final comma allows any other.
  {{- $donors := list }}
  {{- range $i := until $replicas }}{{ $donors = prepend $donors (printf "%s-%d" $name $i) }}{{ end }}
  wsrep_sst_donor = {{ join "," $donors }},
  {{- with $values.paths.tls }}
  {{- if $values.tls.enabled }}

  ssl_cert = {{ . }}/tls.crt
  ssl_key = {{ . }}/tls.key
  ssl_ca = {{ . }}/ca.crt
  require_secure_transport = ON
  {{- end }}
  {{- end }}
  {{- range $option, $value := $values.conf.mysqld }}
  {{ $option }} = {{ $value }}
  {{- end }}

  [sst]
  streamfmt = mbstream
  {{- if $values.tls.enabled }}
  encrypt = 3
  # Of the same authority; members are addressed by numbers, which no certificate has.
  ssl-mode = VERIFY_CA
  tcert = {{ $values.paths.tls }}/tls.crt
  tkey = {{ $values.paths.tls }}/tls.key
  tca = {{ $values.paths.tls }}/ca.crt
  {{- end }}
  {{- range $option, $value := $values.conf.sst }}
  {{ $option }} = {{ $value }}
  {{- end }}
{{- end -}}

{{- /*
abstract: Options of the Galera provider in one line; start.py adds the member's addresses.
values: {galera: {cache: 1Gi, providerOptions: {gcs.fc_limit: "128"}}, tls: {enabled: false}}
usage: {{ include "mariadb.provideroptions" (dict "root" $) }}
return: gcache.size=1073741824;gcs.fc_limit=128;pc.recovery=false
*/ -}}
{{- define "mariadb.provideroptions" -}}
{{- $cache := include "mariadb.bytes" (dict "name" "galera.cache" "quantity" .root.Values.galera.cache) -}}
{{- $tls := dict -}}
{{- if .root.Values.tls.enabled -}}
{{- range $option, $file := dict "cert" "tls.crt" "key" "tls.key" "ca" "ca.crt" }}{{ $_ := set $tls (printf "socket.ssl_%s" $option) (printf "%s/%s" $.root.Values.paths.tls $file) }}{{ end -}}
{{- end -}}
{{- $options := merge (dict "pc.recovery" "false") .root.Values.galera.providerOptions (dict "gcache.size" $cache) $tls -}}
{{- $pairs := list -}}
{{- range $option, $value := $options }}{{ $pairs = append $pairs (printf "%s=%v" $option $value) }}{{ end -}}
{{- join ";" $pairs -}}
{{- end -}}

{{- /*
abstract: Scripts of a member, as the data of a ConfigMap.
values: {}
usage: {{ include "mariadb.scripts" (dict "root" $) }}
return: {start.py: text, agent.py: text, decide.py: text, drain.py: text, member.py: text, probe.py: text}
*/ -}}
{{- define "mariadb.scripts" -}}
{{- range list "agent.py" "decide.py" "drain.py" "member.py" "probe.py" "start.py" }}
{{ . }}: |
  {{- $.root.Files.Get (printf "files/%s" .) | nindent 2 }}
{{- end }}
{{- end -}}
