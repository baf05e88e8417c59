{{- /*
abstract: Where northd finds the members of one database: every one of them.
values: {nb: {replicas: 1}, clusterDomain: cluster.local, tls: {enabled: false}, ports: {nb: 6641}}
usage: {{ include "ovn.remotes" (dict "root" $ "kind" "nb") }}
return: tcp:demo-nb-0.demo-nb-members.openstack.svc.cluster.local:6641
*/ -}}
{{- define "ovn.remotes" -}}
{{- $remotes := list -}}
{{- $scheme := ternary "ssl" "tcp" .root.Values.tls.enabled -}}
{{- range include "ovn.members" . | splitList "\n" }}{{ $remotes = append $remotes (printf "%s:%s.%s:%v" $scheme . $.root.Values.clusterDomain (get $.root.Values.ports $.kind)) }}{{ end -}}
{{- join "," $remotes -}}
{{- end -}}

{{- /*
abstract: Pod spec of northd. Which one is active is decided by a lock in the southbound database.
values: {}
usage: {{ include "ovn.northd" (dict "root" $) }}
return: {terminationGracePeriodSeconds: 30, containers: [], volumes: []}
*/ -}}
{{- define "ovn.northd" -}}
{{- $values := .root.Values -}}
{{- $control := printf "%s/northd" $values.paths.run -}}
terminationGracePeriodSeconds: 30
containers:
  - name: northd
    image: {{ include "common.image" (dict "root" .root "image" "ovn-northd") }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    command:
      - ovn-northd
      - -vconsole:info
      - -vsyslog:off
      - -vfile:off
      - --unixctl={{ $control }}
      - --n-threads={{ $values.northd.threads }}
      - --ovnnb-db={{ include "ovn.remotes" (dict "root" .root "kind" "nb") }}
      - --ovnsb-db={{ include "ovn.remotes" (dict "root" .root "kind" "sb") }}
      {{- if $values.tls.enabled }}
      - --private-key={{ $values.paths.tls }}/tls.key
      - --certificate={{ $values.paths.tls }}/tls.crt
      - --ca-cert={{ $values.paths.tls }}/ca.crt
      {{- end }}
    startupProbe:
      exec:
        command: [ovs-appctl, --timeout=5, -t, {{ $control }}, version]
      periodSeconds: 2
      timeoutSeconds: 10
      failureThreshold: 60
    # Connected to both databases: one that stands by is as ready as the active one.
    readinessProbe:
      exec:
        command:
          - sh
          - -c
          - |
            for database in nb sb; do
              state=$(ovs-appctl --timeout=4 -t "$0" "$database-connection-status") || exit 1
              echo "$database: $state"
              [ "$state" = connected ] || exit 1
            done
          - {{ $control }}
      periodSeconds: 5
      timeoutSeconds: 10
      failureThreshold: 2
    livenessProbe:
      exec:
        command: [ovs-appctl, --timeout=5, -t, {{ $control }}, version]
      periodSeconds: 30
      timeoutSeconds: 10
      failureThreshold: 6
    lifecycle:
      preStop:
        exec:
          command: [ovs-appctl, --timeout=10, -t, {{ $control }}, exit]
    resources:
      {{- include "common.resources" (dict "root" .root "component" "northd") | nindent 6 }}
    securityContext:
      {{- include "common.container.security" (dict "root" .root) | nindent 6 }}
    volumeMounts:
      - {name: run, mountPath: {{ $values.paths.run }}}
      {{- if $values.tls.enabled }}
      - {name: tls, mountPath: {{ $values.paths.tls }}, readOnly: true}
      {{- end }}
volumes:
  - name: run
    emptyDir: {medium: Memory, sizeLimit: 16Mi}
  {{- include "common.tls.volume" (dict "root" .root "component" "northd") | nindent 2 }}
{{- end -}}
