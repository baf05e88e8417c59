{{- /*
abstract: Pod spec of a member: the server, the agent that answers for it (before and after the server too), and the optional exporter.
values: {}
usage: {{ include "mariadb.server" (dict "root" $) }}
return: {terminationGracePeriodSeconds: 485, initContainers: [], containers: [], volumes: []}
*/ -}}
{{- define "mariadb.server" -}}
{{- $values := .root.Values -}}
{{- $scripts := $values.paths.scripts -}}
terminationGracePeriodSeconds: {{ add (mul $values.drain.seconds 2) $values.drain.handOverSeconds $values.drain.stopSeconds }}
initContainers:
  # A sidecar: it runs before the server starts, since peers ask it what this volume holds, and until the server has stopped.
  - name: agent
    restartPolicy: Always
    image: {{ include "common.image" (dict "root" .root "image" "mariadb-server") }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    command: [python3, {{ $scripts }}/agent.py]
    env:
      {{- include "mariadb.server.env" . | nindent 6 }}
      - {name: ACCOUNTS, value: {{ $values.paths.accounts }}}
      - {name: STEP_BACK_SECONDS, value: {{ $values.recovery.stepBackSeconds | quote }}}
    ports:
      - {name: agent, containerPort: {{ $values.ports.agent }}}
    startupProbe:
      httpGet: {path: /live, port: agent{{ ternary ", scheme: HTTPS" "" $values.tls.enabled }}}
      periodSeconds: 1
      failureThreshold: 60
    livenessProbe:
      httpGet: {path: /live, port: agent{{ ternary ", scheme: HTTPS" "" $values.tls.enabled }}}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    readinessProbe:
      httpGet: {path: /live, port: agent{{ ternary ", scheme: HTTPS" "" $values.tls.enabled }}}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 3
    resources:
      {{- include "common.resources" (dict "root" .root "component" "agent") | nindent 6 }}
    securityContext:
      {{- include "common.container.security" (dict "root" .root) | nindent 6 }}
    volumeMounts:
      {{- include "mariadb.server.mounts" . | nindent 6 }}
      - {name: accounts, mountPath: {{ $values.paths.accounts }}, readOnly: true}
containers:
  - name: server
    image: {{ include "common.image" (dict "root" .root "image" "mariadb-server") }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    command: [python3, {{ $scripts }}/start.py]
    env:
      {{- include "mariadb.server.env" . | nindent 6 }}
      - {name: DRAIN_SECONDS, value: {{ $values.drain.seconds | quote }}}
      - {name: HAND_OVER_SECONDS, value: {{ $values.drain.handOverSeconds | quote }}}
      - {name: PROVIDER_OPTIONS, value: {{ include "mariadb.provideroptions" . | quote }}}
      - {name: RECOVERY_FORCE, value: {{ $values.recovery.force | quote }}}
      - {name: RECOVERY_PATIENCE_SECONDS, value: {{ $values.recovery.patienceSeconds | quote }}}
      {{- range $port := list "group" "ist" "sst" }}
      - {name: {{ upper $port }}_PORT, value: {{ get $values.ports $port | quote }}}
      {{- end }}
    ports:
      {{- range $port := list "mysql" "group" "ist" "sst" }}
      - {name: {{ $port }}, containerPort: {{ get $values.ports $port }}}
      {{- end }}
    {{- range $probe, $question := dict "startup" "startup" "readiness" "ready" "liveness" "live" }}
    {{ $probe }}Probe:
      exec:
        command: [python3, {{ $scripts }}/probe.py, {{ $question }}]
      {{- toYaml (get $values.probes $probe) | nindent 6 }}
    {{- end }}
    lifecycle:
      preStop:
        exec:
          command: [python3, {{ $scripts }}/drain.py]
    resources:
      {{- include "common.resources" (dict "root" .root "component" "server") | nindent 6 }}
    securityContext:
      {{- include "common.container.security" (dict "root" .root) | nindent 6 }}
    volumeMounts:
      {{- include "mariadb.server.mounts" . | nindent 6 }}
  {{- if $values.exporter.enabled }}
  {{- include "mariadb.exporter" . | nindent 2 }}
  {{- end }}
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
  - name: accounts
    projected:
      defaultMode: 0440
      sources:
        {{- range $account := ternary (list "root" "monitor") (list "root") $values.exporter.enabled }}
        - secret:
            name: {{ include "common.names.name" (dict "root" $.root "suffix" $account) }}
            items: [{key: password, path: {{ $account }}}]
        {{- end }}
{{- end -}}

{{- /*
abstract: Environment that the server's and the agent's container share.
values: {}
usage: {{ include "mariadb.server.env" (dict "root" $) }}
return: [{name: POD_NAME, value: text}]
*/ -}}
{{- define "mariadb.server.env" -}}
{{- $values := .root.Values -}}
- {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
{{- $plain := dict
  "AGENT_PORT" $values.ports.agent
  "CONFIG" $values.paths.config
  "MEMBERS" (include "mariadb.members" . | fromJsonArray | join " ")
  "PYTHONDONTWRITEBYTECODE" 1
  "RUN" $values.paths.run
  "SQL_PORT" $values.ports.mysql
  "VOLUME" $values.paths.volume
}}
{{- if $values.tls.enabled }}{{ $_ := set $plain "TLS" $values.paths.tls }}{{ end }}
{{- range $name, $value := $plain }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}

{{- /*
abstract: Mounts that the server's and the agent's container share.
values: {}
usage: {{ include "mariadb.server.mounts" (dict "root" $) }}
return: [{name: data, mountPath: text}]
*/ -}}
{{- define "mariadb.server.mounts" -}}
{{- $paths := .root.Values.paths -}}
- {name: data, mountPath: {{ $paths.volume }}}
- {name: run, mountPath: {{ $paths.run }}}
- {name: tmp, mountPath: /tmp}
- {name: config, mountPath: {{ $paths.config }}, readOnly: true}
- {name: scripts, mountPath: {{ $paths.scripts }}, readOnly: true}
{{ include "common.tls.mount" . }}
{{- end -}}

{{- /*
abstract: The exporter of a member's metrics, as a list item. Its account may read the server's state and nothing else.
values: {}
usage: {{ include "mariadb.exporter" (dict "root" $) }}
return: [{name: exporter}]
*/ -}}
{{- define "mariadb.exporter" -}}
{{- $values := .root.Values -}}
- name: exporter
  image: {{ include "common.image" (dict "root" .root "image" "prometheus-mysqld-exporter") }}
  imagePullPolicy: {{ $values.image.pullPolicy }}
  command:
    - {{ $values.exporter.program }}
    - --web.listen-address=$(POD_IP):{{ $values.ports.metrics }}
    - --mysqld.address=$(POD_IP):{{ $values.ports.mysql }}
    - --mysqld.username=monitor
    {{- if $values.tls.enabled }}
    # To its own member, by an address that no certificate has.
    - --tls.insecure-skip-verify
    {{- end }}
  env:
    - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - name: MYSQLD_EXPORTER_PASSWORD
      valueFrom:
        secretKeyRef:
          name: {{ include "common.names.name" (dict "root" .root "suffix" "monitor") }}
          key: password
  ports:
    - {name: metrics, containerPort: {{ $values.ports.metrics }}}
  {{- range list "startup" "readiness" "liveness" }}
  {{ . }}Probe:
    tcpSocket: {port: metrics}
    periodSeconds: 10
    failureThreshold: 6
  {{- end }}
  resources:
    {{- include "common.resources" (dict "root" .root "component" "exporter") | nindent 4 }}
  securityContext:
    {{- include "common.container.security" (dict "root" .root) | nindent 4 }}
{{- end -}}
