{{- /*
abstract: Configuration of the proxies, as the data of a ConfigMap.
values: {}
usage: {{ include "mariadb.proxy.config" (dict "root" $) }}
return: {haproxy.cfg: text, start.sh: text}
*/ -}}
{{- define "mariadb.proxy.config" -}}
{{- $values := .root.Values -}}
haproxy.cfg: |
  global
    maxconn {{ add (int $values.server.maxConnections) 100 }}
    hard-stop-after {{ int $values.proxy.drainSeconds }}s
    log stdout format raw local0 info

  defaults
    mode tcp
    log global
    timeout connect 3s
    timeout check 2s
    timeout client {{ $values.proxy.idleTimeout }}
    timeout server {{ $values.proxy.idleTimeout }}
    option clitcpka
    option srvtcpka
    # A connection that fails is tried again after the member was marked down, so with the next one.
    retries 5
    option redispatch 1

  resolvers dns
    parse-resolv-conf
    resolve_retries 3
    timeout resolve 1s
    timeout retry 1s
    hold valid 2s
    hold obsolete 5s

  frontend mysql
    # Together the proxies, one more during a rollout, fit into what a member lets in, with some left for people.
    {{- $proxies := include "common.replicas" (dict "root" .root "replicas" $values.proxy.replicas) | int }}
    maxconn {{ div (sub (int $values.server.maxConnections) 32) (add $proxies 1) }}
    bind "${POD_IP}:{{ $values.ports.mysql }}"
    default_backend members

  # Every proxy sends every client to the first member in this list that says it may have clients, so writes go to one member.
  backend members
    option httpchk GET /writable
    http-check expect status 200
    {{- if $values.tls.enabled }}
    default-server check-ssl verify required ca-file {{ $values.paths.tls }}/ca.crt
    {{- end }}
    default-server check port {{ $values.ports.agent }} inter 1s fastinter 250ms downinter 500ms fall 2 rise 2
    default-server observe layer4 error-limit 1 on-error mark-down on-marked-down shutdown-sessions
    default-server init-addr last,libc,none resolvers dns resolve-prefer ipv4
    {{- range $i := until (include "mariadb.replicas" . | int) }}
    # The first one back means that the clients of the others come home.
    server member-{{ $i }} "${MEMBER_{{ $i }}}:{{ $values.ports.mysql }}" {{ ternary "on-marked-up shutdown-backup-sessions" "backup" (eq $i 0) }}
    {{- end }}

  frontend health
    mode http
    bind "${POD_IP}:{{ $values.ports.proxyHealth }}"
    timeout client 5s
    option dontlog-normal
    monitor-uri /live
    http-request return status 200 if { path /ready } { nbsrv(members) ge 1 }
    http-request use-service prometheus-exporter if { path /metrics }
    http-request return status 503
start.sh: |
  {{- .root.Files.Get "files/proxy.sh" | nindent 2 }}
{{- end -}}

{{- /*
abstract: Pod spec of a proxy.
values: {}
usage: {{ include "mariadb.proxy" (dict "root" $) }}
return: {terminationGracePeriodSeconds: 45, containers: [], volumes: []}
*/ -}}
{{- define "mariadb.proxy" -}}
{{- $values := .root.Values -}}
terminationGracePeriodSeconds: {{ add $values.proxy.lameDuckSeconds $values.proxy.drainSeconds 15 }}
containers:
  - name: haproxy
    image: {{ include "common.image" (dict "root" .root "image" "haproxy") }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    command: [bash, {{ $values.paths.config }}/start.sh]
    env:
      - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
      - {name: MEMBERS, value: {{ include "mariadb.members" . | fromJsonArray | join " " | quote }}}
      - {name: CONFIG, value: {{ $values.paths.config }}}
      - {name: RUN, value: {{ $values.paths.run }}}
    ports:
      - {name: mysql, containerPort: {{ $values.ports.mysql }}}
      - {name: health, containerPort: {{ $values.ports.proxyHealth }}}
    startupProbe:
      httpGet: {path: /live, port: health}
      periodSeconds: 2
      failureThreshold: 30
    readinessProbe:
      httpGet: {path: /ready, port: health}
      periodSeconds: 5
      failureThreshold: 2
    livenessProbe:
      httpGet: {path: /live, port: health}
      periodSeconds: 10
      failureThreshold: 3
    lifecycle:
      preStop:
        exec:
          command: [bash, {{ $values.paths.config }}/start.sh, stop, "{{ $values.proxy.lameDuckSeconds }}", "{{ $values.proxy.drainSeconds }}"]
    resources:
      {{- include "common.resources" (dict "root" .root "component" "proxy") | nindent 6 }}
    securityContext:
      {{- include "common.container.security" (dict "root" .root) | nindent 6 }}
    volumeMounts:
      - {name: config, mountPath: {{ $values.paths.config }}, readOnly: true}
      - {name: run, mountPath: {{ $values.paths.run }}}
      {{- include "common.tls.mount" . | nindent 6 }}
volumes:
  {{- include "common.tls.volume" (dict "root" .root "component" "server" "authority" true) | nindent 2 }}
  - name: config
    configMap:
      name: {{ include "common.names.name" (dict "root" .root "suffix" "proxy") }}
  - name: run
    emptyDir: {medium: Memory, sizeLimit: 4Mi}
{{- end -}}
