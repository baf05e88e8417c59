{{- /*
abstract: Files of /etc/rabbitmq, as the data of a ConfigMap. `conf.rabbitmq` comes last and wins.
values: {}
usage: {{ include "rabbitmq.config" (dict "root" $) }}
return: {rabbitmq.conf: text, advanced.config: text, enabled_plugins: text}
*/ -}}
{{- define "rabbitmq.config" -}}
{{- $values := .root.Values -}}
{{- $replicas := include "rabbitmq.replicas" . | int -}}
{{- $memory := include "rabbitmq.bytes" (dict "name" "resources.server.limits.memory" "quantity" $values.resources.server.limits.memory) | int64 -}}
{{- $volume := include "rabbitmq.bytes" (dict "name" "storage.size" "quantity" $values.storage.size) | int64 -}}
rabbitmq.conf: |
  cluster_name = {{ .root.Release.Name }}.{{ .root.Release.Namespace }}
  {{- if $values.tls.enabled }}
  listeners.tcp = none
  listeners.ssl.default = {{ $values.ports.amqp }}
  ssl_options.cacertfile = {{ $values.paths.tls }}/ca.crt
  ssl_options.certfile = {{ $values.paths.tls }}/tls.crt
  ssl_options.keyfile = {{ $values.paths.tls }}/tls.key
  ssl_options.versions.1 = tlsv1.3
  ssl_options.versions.2 = tlsv1.2
  # Clients have passwords; one that shows a certificate must have it from the same authority.
  ssl_options.verify = verify_peer
  ssl_options.fail_if_no_peer_cert = false
  management.ssl.port = {{ $values.ports.management }}
  management.ssl.cacertfile = {{ $values.paths.tls }}/ca.crt
  management.ssl.certfile = {{ $values.paths.tls }}/tls.crt
  management.ssl.keyfile = {{ $values.paths.tls }}/tls.key
  {{- else }}
  listeners.tcp.default = {{ $values.ports.amqp }}
  management.tcp.port = {{ $values.ports.management }}
  {{- end }}
  prometheus.tcp.port = {{ $values.ports.metrics }}
  # A member whose host is gone says nothing: it is given up after this many seconds, or a quarter more or less.
  net_ticktime = 20
  log.console = true
  log.console.level = info
  log.file = false

  # Members join by start.py. Peer discovery is left with looking, for ever, on a volume that was reset from outside.
  cluster_formation.peer_discovery_backend = classic_config
  cluster_formation.discovery_retry_limit = 2147483647
  cluster_formation.target_cluster_size_hint = {{ $replicas }}

  # Every queue has a copy on every member, also one that joined later, and none on a member that was forgotten. The
  # size is more than there will ever be, so that running members need not learn that their number changed.
  default_queue_type = quorum
  quorum_queue.continuous_membership_reconciliation.enabled = true
  quorum_queue.continuous_membership_reconciliation.auto_remove = true
  quorum_queue.continuous_membership_reconciliation.interval = 60000
  quorum_queue.continuous_membership_reconciliation.target_group_size = 99
  # A client that redeclares its queue as it would be without the default type finds it instead of failing.
  quorum_queue.property_equivalence.relaxed_checks_on_redeclaration = true

  # Memory limit of the container, the share of it that holds publishers back, and a write-ahead log that fits beside.
  total_memory_available_override_value = {{ $memory }}
  vm_memory_high_watermark.relative = {{ $values.memoryWatermark }}
  raft.wal_max_size_bytes = {{ div $memory 16 }}
  # A fifth of the volume.
  disk_free_limit.absolute = {{ div $volume 5 }}
  {{- range $option, $value := $values.conf.rabbitmq }}
  {{ $option }} = {{ $value }}
  {{- end }}
advanced.config: |
  [
    {rabbit, [
      %% Copies of a new queue: one on every member.
      {quorum_cluster_size, 99},
      %% A member that starts before a majority is back waits for a day, not for seconds: it is there when the others come.
      {khepri_leader_wait_retry_timeout, 86400000}
    ]},
    {osiris, [{port_range, { {{- int $values.ports.streams.first }}, {{ int $values.ports.streams.last -}} }}]}
  ].
enabled_plugins: |
  [rabbitmq_management,rabbitmq_prometheus].
{{- if $values.tls.enabled }}
{{- $files := printf "{cacertfile, %q}, {certfile, %q}, {keyfile, %q}" (printf "%s/ca.crt" $values.paths.tls) (printf "%s/tls.crt" $values.paths.tls) (printf "%s/tls.key" $values.paths.tls) }}
distribution.conf: |
  %% Between members, and from the command line tools: both sides show a certificate of the same authority.
  [{server, [{{ $files }}, {verify, verify_peer}, {fail_if_no_peer_cert, true}]},
   {client, [{{ $files }}, {verify, verify_peer}]}].
{{- end }}
{{- end -}}

{{- /*
abstract: Scripts of a member, as the data of a ConfigMap.
values: {}
usage: {{ include "rabbitmq.scripts" (dict "root" $) }}
return: {start.py: text, register.escript: text, probe.py: text, drain.sh: text, leave.sh: text}
*/ -}}
{{- define "rabbitmq.scripts" -}}
{{- $scripts := dict -}}
{{- range list "start.py" "register.escript" "probe.py" "drain.sh" "leave.sh" }}{{ $_ := set $scripts . ($.root.Files.Get (printf "files/%s" .)) }}{{ end -}}
{{- toYaml $scripts -}}
{{- end -}}
