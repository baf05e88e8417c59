{{- /*
abstract: Pod spec of a member: etcd and what starts it, probes, hooks and volumes.
values: {}
usage: {{ include "etcd.server" (dict "root" $) }}
return: {terminationGracePeriodSeconds: 60, containers: [], volumes: []}
*/ -}}
{{- define "etcd.server" -}}
{{- $values := .root.Values -}}
terminationGracePeriodSeconds: {{ add $values.drain.seconds $values.drain.stopSeconds }}
containers:
  - name: etcd
    image: {{ include "common.image" (dict "root" .root "image" "etcd") }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    command: [python3, {{ $values.paths.scripts }}/start.py]
    env:
      - name: POD_NAME
        valueFrom: {fieldRef: {fieldPath: metadata.name}}
      - name: POD_UID
        valueFrom: {fieldRef: {fieldPath: metadata.uid}}
      {{- $plain := dict
        "BOOTSTRAP" $values.bootstrap
        "CONFIG" (printf "%s/etcd.json" $values.paths.config)
        "DATA" (printf "%s/data" $values.paths.data)
        "DOMAIN" (include "common.names.domain" (dict "root" .root "component" "server"))
        "DRAIN_SECONDS" $values.drain.seconds
        "LISTEN" $values.address
        "RUN" $values.paths.run
      }}
      {{- include "etcd.environment" (dict "root" .root "plain" $plain) | nindent 6 }}
    ports:
      {{- range $name := list "client" "peer" "metrics" }}
      - name: {{ $name }}
        containerPort: {{ get $values.ports $name }}
      {{- end }}
    # A member that waits for others is alive; etcd's own page asks nobody else, so the loss of a majority kills nobody.
    startupProbe:
      httpGet: {path: /livez, port: metrics}
      periodSeconds: 5
      timeoutSeconds: 5
      failureThreshold: 120
    readinessProbe:
      exec:
        command: [python3, {{ $values.paths.scripts }}/probe.py]
      periodSeconds: 5
      timeoutSeconds: 10
      failureThreshold: 2
    livenessProbe:
      httpGet: {path: /livez, port: metrics}
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
      - {name: data, mountPath: {{ $values.paths.data }}}
      - {name: run, mountPath: {{ $values.paths.run }}}
      - {name: config, mountPath: {{ $values.paths.config }}, readOnly: true}
      - {name: scripts, mountPath: {{ $values.paths.scripts }}, readOnly: true}
      {{- if $values.tls.enabled }}
      - {name: tls, mountPath: {{ $values.paths.tls }}, readOnly: true}
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
  {{- include "common.tls.volume" (dict "root" .root "component" "server") | nindent 2 }}
{{- end -}}
