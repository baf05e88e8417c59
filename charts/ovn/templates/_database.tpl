{{- /*
abstract: Number of members of one database (`kind`: nb or sb), checked. 1 in development.
values: {nb: {replicas: 3}, global: {development: false}}
usage: {{ include "ovn.replicas" (dict "root" $ "kind" "nb") }}
return: 3
*/ -}}
{{- define "ovn.replicas" -}}
{{- include "common.quorum" (dict "root" .root "value" (printf "%s.replicas" .kind) "replicas" (get .root.Values .kind).replicas "what" "OVN") -}}
{{- end -}}

{{- /*
abstract: The members of one database by their DNS names, one a line.
values: {nb: {replicas: 1}}
usage: {{ include "ovn.members" (dict "root" $ "kind" "nb") }}
return: demo-nb-0.demo-nb-members.openstack.svc
*/ -}}
{{- define "ovn.members" -}}
{{- include "common.names.members" (dict "root" .root "component" .kind "replicas" (include "ovn.replicas" .)) | fromJsonArray | join "\n" -}}
{{- end -}}

{{- /*
abstract: ovsdb.json, the server's configuration file: who may connect where, and the database.
values: {}
usage: {{ include "ovn.config" (dict "root" $ "kind" "nb") }}
return: {ovsdb.json: text}
*/ -}}
{{- define "ovn.config" -}}
{{- $values := .root.Values -}}
{{- $address := ternary (printf "[%s]" $values.address) $values.address (contains ":" $values.address) -}}
{{- $listen := printf "%s:%v:%s" (ternary "pssl" "ptcp" $values.tls.enabled) (get $values.ports .kind) $address -}}
{{- $remotes := dict $listen (dict "inactivity-probe" (int (get $values .kind).inactivityProbe)) (printf "punix:%s/socket" $values.paths.run) dict -}}
{{- $databases := dict (printf "%s/%s.db" $values.paths.data .kind) (dict "service-model" "clustered") -}}
{{- toYaml (dict "ovsdb.json" (printf "%s\n" (dict "remotes" $remotes "databases" $databases | toPrettyJson))) -}}
{{- end -}}

{{- /*
abstract: Environment that every script of the chart reads, as list items. `plain` is added.
values: {}
usage: {{ include "ovn.environment" (dict "root" $ "plain" (dict "KEEP" 7)) }}
return: [{name: MEMBERS, value: text}]
*/ -}}
{{- define "ovn.environment" -}}
{{- $values := .root.Values -}}
{{- $plain := dict
  "CLUSTER_DOMAIN" $values.clusterDomain
  "MEMBERS" $values.paths.members
  "NB_PORT" $values.ports.nb
  "PAGES_PORT" $values.ports.pages
  "PYTHONDONTWRITEBYTECODE" 1
  "PYTHONUNBUFFERED" 1
  "SB_PORT" $values.ports.sb
  "SCHEME" (ternary "ssl" "tcp" $values.tls.enabled)
  "TLS" $values.paths.tls
-}}
{{- range $name, $value := merge $plain (.plain | default dict) }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}

{{- /*
abstract: Pod spec of a member of one database.
values: {}
usage: {{ include "ovn.database" (dict "root" $ "kind" "nb") }}
return: {terminationGracePeriodSeconds: 75, containers: [], volumes: []}
*/ -}}
{{- define "ovn.database" -}}
{{- $values := .root.Values -}}
terminationGracePeriodSeconds: {{ add $values.drain.seconds $values.drain.stopSeconds }}
containers:
  - name: ovsdb
    image: {{ include "common.image" (dict "root" .root "image" (printf "ovn-%s-db-server" .kind)) }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    command: [python3, {{ $values.paths.scripts }}/member.py]
    env:
      - name: POD_NAME
        valueFrom: {fieldRef: {fieldPath: metadata.name}}
      {{- $plain := dict
        "ADDRESS" $values.address
        "BOOTSTRAP" $values.bootstrap
        "CONFIG" (printf "%s/ovsdb.json" $values.paths.config)
        "DATA" $values.paths.data
        "DOMAIN" (include "common.names.domain" (dict "root" .root "component" .kind))
        "DRAIN_SECONDS" $values.drain.seconds
        "ELECTION_TIMER" (get $values .kind).electionTimer
        "KIND" .kind
        "RAFT_PORT" (get $values.ports (printf "%sRaft" .kind))
        "RUN" $values.paths.run
        "SCHEMA" (printf "%s/ovn-%s.ovsschema" $values.paths.schemas .kind)
      }}
      {{- include "ovn.environment" (dict "root" .root "plain" $plain) | nindent 6 }}
    ports:
      - name: {{ .kind }}
        containerPort: {{ get $values.ports .kind }}
      - name: raft
        containerPort: {{ get $values.ports (printf "%sRaft" .kind) }}
      - name: pages
        containerPort: {{ $values.ports.pages }}
    # A member that waits for others is alive; the page asks its own server only, so the loss of a majority kills nobody.
    startupProbe:
      httpGet: {path: /livez, port: pages}
      periodSeconds: 5
      timeoutSeconds: 10
      failureThreshold: 120
    readinessProbe:
      httpGet: {path: /readyz, port: pages}
      periodSeconds: 5
      timeoutSeconds: 10
      failureThreshold: 2
    livenessProbe:
      httpGet: {path: /livez, port: pages}
      periodSeconds: 15
      timeoutSeconds: 10
      failureThreshold: 6
    lifecycle:
      preStop:
        exec:
          command: [python3, {{ $values.paths.scripts }}/drain.py]
    resources:
      {{- include "common.resources" (dict "root" .root "component" .kind) | nindent 6 }}
    securityContext:
      {{- include "common.container.security" (dict "root" .root) | nindent 6 }}
    volumeMounts:
      - {name: data, mountPath: {{ $values.paths.data }}}
      - {name: run, mountPath: {{ $values.paths.run }}}
      - {name: config, mountPath: {{ $values.paths.config }}, readOnly: true}
      {{- include "ovn.mounts" . | nindent 6 }}
volumes:
  - name: run
    emptyDir: {medium: Memory, sizeLimit: 16Mi}
  - name: config
    configMap:
      name: {{ include "common.names.name" (dict "root" .root "suffix" .kind) }}
  - name: scripts
    configMap:
      name: {{ include "common.names.name" (dict "root" .root "suffix" (printf "%s-scripts" .kind)) }}
  {{- include "ovn.volumes" (dict "root" .root "component" .kind) | nindent 2 }}
{{- end -}}

{{- /*
abstract: What every container with a script mounts, as list items.
values: {}
usage: {{ include "ovn.mounts" (dict "root" $) }}
return: [{name: scripts, mountPath: /opt/oscompile, readOnly: true}]
*/ -}}
{{- define "ovn.mounts" -}}
{{- $paths := .root.Values.paths -}}
- {name: scripts, mountPath: {{ $paths.scripts }}, readOnly: true}
- {name: members, mountPath: {{ $paths.members }}, readOnly: true}
{{- if .root.Values.tls.enabled }}
- {name: tls, mountPath: {{ $paths.tls }}, readOnly: true}
{{- end }}
{{- end -}}

{{- /*
abstract: The lists of members and the certificates, as volumes.
values: {}
usage: {{ include "ovn.volumes" (dict "root" $ "component" "nb") }}
return: [{name: members, configMap: {name: demo-members}}]
*/ -}}
{{- define "ovn.volumes" -}}
- name: members
  configMap:
    name: {{ include "common.names.name" (dict "root" .root "suffix" "members") }}
{{- include "common.tls.volume" . | nindent 0 }}
{{- end -}}
