{{- /*
abstract: Pod spec of a member: the broker, its environment, probes, hooks and volumes.
values: {}
usage: {{ include "rabbitmq.server" (dict "root" $) }}
return: {terminationGracePeriodSeconds: 300, containers: [], volumes: []}
*/ -}}
{{- define "rabbitmq.server" -}}
{{- $values := .root.Values -}}
{{- $probe := printf "%s/probe.py" $values.paths.scripts -}}
terminationGracePeriodSeconds: {{ add $values.drain.quorumSeconds $values.drain.handoverSeconds $values.drain.stopSeconds }}
containers:
  - name: rabbitmq
    image: {{ include "common.image" (dict "root" .root "image" "rabbitmq") }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    command: [python3, {{ $values.paths.scripts }}/start.py]
    env:
      {{- include "rabbitmq.server.env" . | nindent 6 }}
    ports:
      {{- range $name := list "amqp" "management" "metrics" "epmd" "distribution" }}
      - name: {{ $name }}
        containerPort: {{ get $values.ports $name }}
      {{- end }}
    # Boot may take as long as it takes for a majority to come back, so it is not bounded here; see probe.py.
    startupProbe:
      exec:
        command: [python3, {{ $probe }}, startup]
      periodSeconds: 5
      timeoutSeconds: 10
      failureThreshold: 60
    readinessProbe:
      exec:
        command: [python3, {{ $probe }}, ready]
      periodSeconds: 10
      timeoutSeconds: 10
      failureThreshold: 2
    livenessProbe:
      exec:
        command: [python3, {{ $probe }}, live]
      periodSeconds: 30
      timeoutSeconds: 10
      failureThreshold: 6
    lifecycle:
      preStop:
        exec:
          command: [sh, {{ $values.paths.scripts }}/drain.sh]
    resources:
      {{- include "common.resources" (dict "root" .root "component" "server") | nindent 6 }}
    securityContext:
      {{- include "common.container.security" (dict "root" .root) | nindent 6 }}
    volumeMounts:
      - {name: data, mountPath: {{ $values.paths.data }}}
      - {name: run, mountPath: {{ $values.paths.run }}}
      - {name: tmp, mountPath: /tmp}
      - {name: config, mountPath: {{ $values.paths.config }}, readOnly: true}
      - {name: scripts, mountPath: {{ $values.paths.scripts }}, readOnly: true}
      - {name: cookie, mountPath: {{ $values.paths.cookie }}, readOnly: true}
      {{- include "common.tls.mount" . | nindent 6 }}
volumes:
  {{- include "common.tls.volume" (dict "root" .root "component" "server") | nindent 2 }}
  - name: run
    emptyDir: {medium: Memory, sizeLimit: 16Mi}
  - name: tmp
    emptyDir: {sizeLimit: 64Mi}
  - name: config
    configMap:
      name: {{ include "common.names.name" (dict "root" .root "suffix" "server") }}
  - name: scripts
    configMap:
      name: {{ include "common.names.name" (dict "root" .root "suffix" "server-scripts") }}
  - name: cookie
    secret:
      secretName: {{ include "common.names.name" (dict "root" .root "suffix" "cookie") }}
      defaultMode: 0440
{{- end -}}

{{- /*
abstract: Environment of a member: what its scripts, the broker and the command line tools (also in `kubectl exec`) read.
values: {}
usage: {{ include "rabbitmq.server.env" (dict "root" $) }}
return: [{name: POD_NAME, value: text}]
*/ -}}
{{- define "rabbitmq.server.env" -}}
{{- $values := .root.Values -}}
{{- if eq $values.admin.username "guest" -}}
{{- fail "`admin.username` must not be \"guest\": RabbitMQ lets that user in from its own host only. Use \"admin\"." -}}
{{- end -}}
{{- $members := include "common.names.members" (dict "root" .root "component" "server" "replicas" $values.replicas) | fromJsonArray -}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: RABBITMQ_DEFAULT_PASS
  valueFrom:
    secretKeyRef:
      name: {{ include "common.names.name" (dict "root" .root "suffix" "admin") }}
      key: password
{{- $plain := dict
  "AMQP_PORT" $values.ports.amqp
  "COOKIE_FILE" (printf "%s/cookie" $values.paths.cookie)
  "DRAIN_SECONDS" $values.drain.handoverSeconds
  "ERL_CRASH_DUMP" "/tmp/erl_crash.dump"
  "ERL_CRASH_DUMP_BYTES" 33554432
  "ERL_EPMD_PORT" $values.ports.epmd
  "HOME" $values.paths.run
  "LANG" "C.UTF-8"
  "MEMBERS" (join " " $members)
  "METRICS_PORT" $values.ports.metrics
  "PATH" (printf "%s:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" $values.paths.programs)
  "PROBE_TIMEOUT" 8
  "PYTHONUNBUFFERED" 1
  "QUORUM_SECONDS" $values.drain.quorumSeconds
  "RABBITMQ_ADVANCED_CONFIG_FILE" (printf "%s/advanced.config" $values.paths.config)
  "RABBITMQ_CONFIG_FILE" (printf "%s/rabbitmq.conf" $values.paths.config)
  "RABBITMQ_CONFIG_FILES" (printf "%s/discovery.conf" $values.paths.run)
  "RABBITMQ_CONF_ENV_FILE" "/dev/null"
  "RABBITMQ_DEFAULT_USER" $values.admin.username
  "RABBITMQ_DIST_PORT" $values.ports.distribution
  "RABBITMQ_ENABLED_PLUGINS_FILE" (printf "%s/enabled_plugins" $values.paths.config)
  "RABBITMQ_LOGS" "-"
  "RABBITMQ_MNESIA_BASE" (printf "%s/mnesia" $values.paths.data)
  "RABBITMQ_NODENAME" (printf "rabbit@$(POD_NAME).%s" (include "common.names.domain" (dict "root" .root "component" "server")))
  "RABBITMQ_PID_FILE" (printf "%s/pid" $values.paths.run)
  "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS" (printf "+S %v:%v" $values.schedulers $values.schedulers)
  "RABBITMQ_USE_LONGNAME" true
}}
{{- if $values.tls.enabled }}
{{- $distribution := printf "-proto_dist inet_tls -ssl_dist_optfile %s/distribution.conf" $values.paths.config }}
{{- $_ := set $plain "RABBITMQ_CTL_ERL_ARGS" $distribution }}
{{- $_ := set $plain "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS" (printf "%s %s" (get $plain "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS") $distribution) }}
{{- end }}
{{- with $values.featureFlags }}{{ $_ := set $plain "RABBITMQ_FEATURE_FLAGS" (join "," .) }}{{ end }}
{{- range $name, $value := $plain }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}
