{{- /*
abstract: Pod spec of a member: its sentinel, which is there before its server and after it, the server with what stands beside it, and the exporter.
values: {}
usage: {{ include "valkey.server" (dict "root" $) }}
return: {terminationGracePeriodSeconds: 60, initContainers: [], containers: [], volumes: []}
*/ -}}
{{- define "valkey.server" -}}
{{- $values := .root.Values -}}
{{- $scheme := ternary ", scheme: HTTPS" "" $values.tls.enabled -}}
terminationGracePeriodSeconds: {{ add $values.drain.seconds $values.drain.stopSeconds }}
initContainers:
  {{- include "valkey.sentinel" . | nindent 2 }}
containers:
  - name: server
    image: {{ include "common.image" (dict "root" .root "image" "valkey-server") }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    command: [python3, {{ $values.paths.scripts }}/start.py]
    env:
      {{- include "valkey.environment.member" (dict "root" .root "plain" (dict "AGENT_PORT" $values.ports.agent "BOOTSTRAP" $values.bootstrap "DRAIN_SECONDS" $values.drain.seconds "LISTEN" $values.address)) | nindent 6 }}
    ports:
      - {name: server, containerPort: {{ $values.ports.server }}}
      - {name: agent, containerPort: {{ $values.ports.agent }}}
    # A member that waits for others, or loads its data, is alive; nobody else is asked, so the loss of a majority kills nobody.
    startupProbe:
      httpGet: {path: /livez, port: agent{{ $scheme }}}
      periodSeconds: 2
      timeoutSeconds: 5
      failureThreshold: 60
    readinessProbe:
      httpGet: {path: /readyz, port: agent{{ $scheme }}}
      periodSeconds: 5
      timeoutSeconds: 5
      failureThreshold: 2
    livenessProbe:
      httpGet: {path: /livez, port: agent{{ $scheme }}}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    lifecycle:
      preStop:
        exec:
          command: [python3, {{ $values.paths.scripts }}/drain.py]
    resources:
      {{- include "common.resources" (dict "root" .root "component" "server") | nindent 6 }}
    securityContext:
      {{- include "common.container.security" (dict "root" .root) | nindent 6 }}
    volumeMounts:
      - {name: data, mountPath: {{ $values.paths.volume }}}
      - {name: run, mountPath: {{ $values.paths.run }}}
      - {name: config, mountPath: {{ $values.paths.config }}, readOnly: true}
      - {name: scripts, mountPath: {{ $values.paths.scripts }}, readOnly: true}
      - {name: accounts, mountPath: {{ $values.paths.accounts }}, readOnly: true}
      {{- include "common.tls.mount" . | nindent 6 }}
  {{- if $values.exporter.enabled }}
  {{- include "valkey.exporter" . | nindent 2 }}
  {{- end }}
volumes:
  - name: run
    emptyDir: {medium: Memory, sizeLimit: 16Mi}
  - name: config
    configMap:
      name: {{ include "common.names.name" (dict "root" .root "suffix" "server") }}
  - name: scripts
    configMap:
      name: {{ include "common.names.name" (dict "root" .root "suffix" "server-scripts") }}
  {{- include "valkey.accounts" (dict "root" .root "accounts" (concat (list "admin" "replication" "sentinel") (ternary (list "monitor") list $values.exporter.enabled))) | nindent 2 }}
  {{- include "common.tls.volume" (dict "root" .root "component" "server") | nindent 2 }}
{{- end -}}

{{- /*
abstract: A member's sentinel, as a list item. A sidecar: servers ask the sentinels before they start, and one that stops needs its own to hand over.
values: {}
usage: {{ include "valkey.sentinel" (dict "root" $) }}
return: [{name: sentinel, restartPolicy: Always}]
*/ -}}
{{- define "valkey.sentinel" -}}
{{- $values := .root.Values -}}
- name: sentinel
  restartPolicy: Always
  image: {{ include "common.image" (dict "root" .root "image" "valkey-sentinel") }}
  imagePullPolicy: {{ $values.image.pullPolicy }}
  command: [python3, {{ $values.paths.scripts }}/sentinel.py]
  env:
    {{- include "valkey.environment.member" (dict "root" .root "plain" (dict "DOWN_AFTER" $values.failover.downAfter "FAILOVER_TIMEOUT" $values.failover.timeout)) | nindent 4 }}
  ports:
    - {name: sentinel, containerPort: {{ $values.ports.sentinel }}}
  {{- range $probe, $timing := dict "startupProbe" (dict "periodSeconds" 1 "failureThreshold" 60) "readinessProbe" (dict "periodSeconds" 10 "failureThreshold" 3) "livenessProbe" (dict "periodSeconds" 15 "failureThreshold" 4) }}
  {{ $probe }}:
    exec:
      command: [python3, {{ $values.paths.scripts }}/probe.py]
    timeoutSeconds: 10
    {{- toYaml $timing | nindent 4 }}
  {{- end }}
  resources:
    {{- include "common.resources" (dict "root" .root "component" "sentinel") | nindent 4 }}
  securityContext:
    {{- include "common.container.security" (dict "root" .root) | nindent 4 }}
  volumeMounts:
    - {name: data, mountPath: {{ $values.paths.volume }}}
    - {name: run, mountPath: {{ $values.paths.run }}}
    - {name: config, mountPath: {{ $values.paths.config }}, readOnly: true}
    - {name: scripts, mountPath: {{ $values.paths.scripts }}, readOnly: true}
    - {name: accounts, mountPath: {{ $values.paths.accounts }}, readOnly: true}
    {{- include "common.tls.mount" . | nindent 4 }}
{{- end -}}

{{- /*
abstract: The exporter of a member's metrics, as a list item. Its account sees the server's state and no data.
values: {}
usage: {{ include "valkey.exporter" (dict "root" $) }}
return: [{name: exporter}]
*/ -}}
{{- define "valkey.exporter" -}}
{{- $values := .root.Values -}}
- name: exporter
  image: {{ include "common.image" (dict "root" .root "image" "prometheus-valkey-exporter") }}
  imagePullPolicy: {{ $values.image.pullPolicy }}
  command:
    - {{ $values.exporter.program }}
    - -web.listen-address=:{{ $values.ports.metrics }}
    - -redis.addr={{ ternary "rediss" "redis" $values.tls.enabled }}://localhost:{{ $values.ports.server }}
    - -redis.user=monitor
    - -config-command=-
    {{- if $values.tls.enabled }}
    - -tls-ca-cert-file={{ $values.paths.tls }}/ca.crt
    - -tls-client-cert-file={{ $values.paths.tls }}/tls.crt
    - -tls-client-key-file={{ $values.paths.tls }}/tls.key
    {{- end }}
  env:
    - name: REDIS_PASSWORD
      valueFrom:
        secretKeyRef:
          name: {{ include "common.names.name" (dict "root" .root "suffix" "monitor") }}
          key: password
  ports:
    - {name: metrics, containerPort: {{ $values.ports.metrics }}}
  {{- range $probe := list "startupProbe" "readinessProbe" "livenessProbe" }}
  {{ $probe }}:
    httpGet: {path: /health, port: metrics}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  {{- end }}
  resources:
    {{- include "common.resources" (dict "root" .root "component" "exporter") | nindent 4 }}
  securityContext:
    {{- include "common.container.security" (dict "root" .root) | nindent 4 }}
  {{- with include "common.tls.mount" . }}
  volumeMounts:
    {{- . | nindent 4 }}
  {{- end }}
{{- end -}}
