{{- /*
abstract: cert-manager's Certificate for the members of a component: the client Service, every member (also by name, where `replicas` says how many: a server that asks its name server who connects finds them), further `names`, and the member itself. The Secret has the Certificate's name. `tls` is {enabled, secretName, issuer: {kind, name}}; without TLS, and where a Secret is named, it is nothing.
values: {tls: {enabled: true, secretName: "", issuer: {kind: ClusterIssuer, name: openstack}}}
usage: {{ include "common.tls.certificate" (dict "root" $ "component" "server" "replicas" 1) }}
return:
  apiVersion: cert-manager.io/v1
  kind: Certificate
  metadata: {name: demo-server-tls, namespace: openstack, labels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: server, app.kubernetes.io/version: "2026.1", app.kubernetes.io/part-of: openstack, app.kubernetes.io/managed-by: Helm}}
  spec:
    secretName: demo-server-tls
    commonName: demo-server
    dnsNames: [demo-server.openstack.svc, demo-server.openstack.svc.cluster.local, "*.demo-server-members.openstack.svc", demo-server-0.demo-server-members.openstack.svc, localhost]
    ipAddresses: [127.0.0.1, "::1"]
    usages: [digital signature, key encipherment, server auth, client auth]
    privateKey: {algorithm: ECDSA, size: 256, rotationPolicy: Always}
    duration: 2160h
    renewBefore: 720h
    issuerRef: {group: cert-manager.io, kind: ClusterIssuer, name: openstack}
*/ -}}
{{- define "common.tls.certificate" -}}
{{- $tls := .root.Values.tls -}}
{{- if and $tls.enabled (not $tls.secretName) -}}
{{- $host := include "common.names.host" . -}}
{{- $suffix := printf "%s-tls" .component -}}
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  {{- include "common.metadata" (dict "root" .root "component" .component "suffix" $suffix) | nindent 2 }}
spec:
  secretName: {{ include "common.names.name" (dict "root" .root "suffix" $suffix) }}
  commonName: {{ include "common.names.name" (dict "root" .root "suffix" .component) }}
  dnsNames:
    - {{ $host }}
    - {{ $host }}.cluster.local
    {{- range .names }}
    - {{ . | quote }}
    {{- end }}
    - "*.{{ include "common.names.domain" . }}"
    {{- if .replicas }}
    {{- range include "common.names.members" . | fromJsonArray }}
    - {{ . }}
    {{- end }}
    {{- end }}
    - localhost
  ipAddresses: [127.0.0.1, "::1"]
  usages: [digital signature, key encipherment, server auth, client auth]
  privateKey: {algorithm: ECDSA, size: 256, rotationPolicy: Always}
  duration: 2160h
  renewBefore: 720h
  issuerRef:
    group: cert-manager.io
    kind: {{ $tls.issuer.kind }}
    name: {{ $tls.issuer.name }}
{{- end -}}
{{- end -}}

{{- /*
abstract: The volume `tls` with the certificates of a component's members, as a list item; with `authority: true` the authority alone, for whom they serve. Nothing without TLS.
values: {tls: {enabled: true, secretName: ""}}
usage: {{ include "common.tls.volume" (dict "root" $ "component" "server" "authority" true) }}
return: [{name: tls, secret: {secretName: demo-server-tls, defaultMode: 0440, items: [{key: ca.crt, path: ca.crt}]}}]
*/ -}}
{{- define "common.tls.volume" -}}
{{- if .root.Values.tls.enabled -}}
- name: tls
  secret:
    secretName: {{ .root.Values.tls.secretName | default (include "common.names.name" (dict "root" .root "suffix" (printf "%s-tls" .component))) }}
    defaultMode: 0440
    {{- if .authority }}
    items: [{key: ca.crt, path: ca.crt}]
    {{- end }}
{{- end -}}
{{- end -}}

{{- /*
abstract: The mount of that volume, as a list item; nothing without TLS.
values: {tls: {enabled: true}, paths: {tls: /run/secrets/tls}}
usage: {{ include "common.tls.mount" (dict "root" $) }}
return: [{name: tls, mountPath: /run/secrets/tls, readOnly: true}]
*/ -}}
{{- define "common.tls.mount" -}}
{{- if .root.Values.tls.enabled -}}
- {name: tls, mountPath: {{ .root.Values.paths.tls }}, readOnly: true}
{{- end -}}
{{- end -}}

{{- /*
abstract: cert-manager's Certificate for an instance that is a client of encrypted providers, where one of `bindings` (a map or a list) has `tls`. Its Secret holds the authority of its issuer, in the client's own namespace, wherever its providers are. Nothing where a Secret is named, or no binding is encrypted. `tls` is {secretName, issuer: {kind, name}}.
values: {tls: {secretName: "", issuer: {kind: ClusterIssuer, name: openstack}}, bindings: {database: {host: db.data.svc, tls: {secretName: db-tls, key: ca.crt}}}}
usage: {{ include "common.tls.client.certificate" (dict "root" $ "component" "server" "bindings" .Values.bindings) }}
return:
  apiVersion: cert-manager.io/v1
  kind: Certificate
  metadata: {name: demo-client-tls, namespace: openstack, labels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: server, app.kubernetes.io/version: "2026.1", app.kubernetes.io/part-of: openstack, app.kubernetes.io/managed-by: Helm}}
  spec:
    secretName: demo-client-tls
    commonName: demo
    usages: [digital signature, client auth]
    privateKey: {algorithm: ECDSA, size: 256, rotationPolicy: Always}
    duration: 2160h
    renewBefore: 720h
    issuerRef: {group: cert-manager.io, kind: ClusterIssuer, name: openstack}
*/ -}}
{{- define "common.tls.client.certificate" -}}
{{- $tls := .root.Values.tls -}}
{{- if and (include "common.tls.client" .) (not $tls.secretName) -}}
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  {{- include "common.metadata" (dict "root" .root "component" .component "suffix" "client-tls") | nindent 2 }}
spec:
  secretName: {{ include "common.names.name" (dict "root" .root "suffix" "client-tls") }}
  commonName: {{ .root.Release.Name }}
  usages: [digital signature, client auth]
  privateKey: {algorithm: ECDSA, size: 256, rotationPolicy: Always}
  duration: 2160h
  renewBefore: 720h
  issuerRef:
    group: cert-manager.io
    kind: {{ $tls.issuer.kind }}
    name: {{ $tls.issuer.name }}
{{- end -}}
{{- end -}}

{{- /*
abstract: `true` where one of `bindings` (a map or a list; null ones are not bound) is encrypted, else nothing.
values: {bindings: {database: {host: db.data.svc, tls: {secretName: db-tls, key: ca.crt}}, cache: null}}
usage: {{ include "common.tls.client" (dict "bindings" .Values.bindings) }}
return: true
*/ -}}
{{- define "common.tls.client" -}}
{{- $encrypted := "" -}}
{{- range .bindings }}{{ with . }}{{ if .tls }}{{ $encrypted = "true" }}{{ end }}{{ end }}{{ end -}}
{{- $encrypted -}}
{{- end -}}

{{- /*
abstract: The volume `authority`, as a list item: what a client holds the certificates of its providers against. Nothing where no binding is encrypted.
values: {tls: {secretName: ""}, bindings: {database: {host: db.data.svc, tls: {secretName: db-tls, key: ca.crt}}}}
usage: {{ include "common.tls.client.volume" (dict "root" $ "bindings" .Values.bindings) }}
return: [{name: authority, secret: {secretName: demo-client-tls, defaultMode: 0440, items: [{key: ca.crt, path: ca.crt}]}}]
*/ -}}
{{- define "common.tls.client.volume" -}}
{{- if include "common.tls.client" . -}}
- name: authority
  secret:
    secretName: {{ .root.Values.tls.secretName | default (include "common.names.name" (dict "root" .root "suffix" "client-tls")) }}
    defaultMode: 0440
    items: [{key: ca.crt, path: ca.crt}]
{{- end -}}
{{- end -}}
