{{- /*
abstract: Pods of an instance as a NetworkPolicy peer: what a binding or a consumer describes (namespace, instance, and chart and component where they are known). Without a namespace it is the policy's own.
values: {}
usage: {{ include "common.networkpolicy.peer" (dict "namespace" "data" "instance" "mariadb" "chart" "mariadb" "component" "server") }}
return: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: data}}, podSelector: {matchLabels: {app.kubernetes.io/instance: mariadb, app.kubernetes.io/name: mariadb, app.kubernetes.io/component: server}}}
*/ -}}
{{- define "common.networkpolicy.peer" -}}
{{- with .namespace -}}
namespaceSelector:
  matchLabels:
    kubernetes.io/metadata.name: {{ . }}
{{ end -}}
podSelector:
  matchLabels:
    app.kubernetes.io/instance: {{ .instance }}
    {{- with .chart }}
    app.kubernetes.io/name: {{ . }}
    {{- end }}
    {{- with .component }}
    app.kubernetes.io/component: {{ . }}
    {{- end }}
{{- end -}}

{{- /*
abstract: Default deny in both directions for one component, opened for `ingress` (consumers, as a map or a list; they reach `ports`), `egress` (bindings, as a map or a list; their `port`; null ones are not bound), `peers` (ports between the component's own pods), name resolution, scraping of `metrics`, and the Kubernetes API (`kubernetes: true`). A site adds rules in `networkPolicy.egress.<component>`. A provider that nobody declared to consume (plain `helm install`) is open to its own namespace. Ports are numbers; a binding's port is the container's port.
values: {networkPolicy: {clients: [], scrapers: [], dns: []}}
usage: {{ include "common.networkpolicy" (dict "root" $ "component" "api" "ports" (list 5000) "ingress" (list (dict "namespace" "openstack" "instance" "glance" "chart" "glance")) "egress" (list (dict "namespace" "data" "instance" "mariadb" "chart" "mariadb" "component" "server" "port" 3306))) }}
return:
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: demo-api, namespace: openstack, labels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: api, app.kubernetes.io/version: "2026.1", app.kubernetes.io/part-of: openstack, app.kubernetes.io/managed-by: Helm}}
  spec:
    podSelector: {matchLabels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: api}}
    policyTypes: [Ingress, Egress]
    ingress:
      - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: openstack}}, podSelector: {matchLabels: {app.kubernetes.io/instance: glance, app.kubernetes.io/name: glance}}}]
        ports: [{port: 5000, protocol: TCP}]
    egress:
      - ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
      - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: data}}, podSelector: {matchLabels: {app.kubernetes.io/instance: mariadb, app.kubernetes.io/name: mariadb, app.kubernetes.io/component: server}}}]
        ports: [{port: 3306, protocol: TCP}]
*/ -}}
{{- define "common.networkpolicy" -}}
{{- $policy := .root.Values.networkPolicy | default dict -}}
{{- $self := include "common.labels.selector" . -}}
{{- $ports := list -}}
{{- range .ports }}{{ $ports = append $ports (dict "port" . "protocol" "TCP") }}{{ end -}}
{{- $between := list -}}
{{- range .peers }}{{ $between = append $between (dict "port" . "protocol" "TCP") }}{{ end -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "common.metadata" (omit . "name" "labels" "annotations") | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- $self | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- if $ports }}
    - from:
        {{- range .ingress }}
        - {{- include "common.networkpolicy.peer" . | nindent 10 }}
        {{- end }}
        {{- with $policy.clients }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- if not (or .ingress $policy.clients) }}
        - podSelector: {}
        {{- end }}
      ports:
        {{- toYaml $ports | nindent 8 }}
    {{- end }}
    {{- if $between }}
    - from:
        - podSelector:
            matchLabels:
              {{- $self | nindent 14 }}
      ports:
        {{- toYaml $between | nindent 8 }}
    {{- end }}
    {{- if and .metrics $policy.scrapers }}
    - from:
        {{- toYaml $policy.scrapers | nindent 8 }}
      ports:
        {{- range .metrics }}
        - port: {{ . }}
          protocol: TCP
        {{- end }}
    {{- end }}
    {{- if not (or $ports $between (and .metrics $policy.scrapers)) }} []{{ end }}
  egress:
    - ports:
        - port: 53
          protocol: UDP
        - port: 53
          protocol: TCP
      {{- with $policy.dns }}
      to:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- range .egress }}
    {{- if . }}
    - to:
        - {{- include "common.networkpolicy.peer" . | nindent 10 }}
      ports:
        - port: {{ .port }}
          protocol: TCP
    {{- end }}
    {{- end }}
    {{- if $between }}
    - to:
        - podSelector:
            matchLabels:
              {{- $self | nindent 14 }}
      ports:
        {{- toYaml $between | nindent 8 }}
    {{- end }}
    {{- if .kubernetes }}
    - ports:
        {{- range (($policy.apiserver).ports | default (list 443 6443)) }}
        - port: {{ . }}
          protocol: TCP
        {{- end }}
      {{- with ($policy.apiserver).peers }}
      to:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- end }}
    {{- with get ($policy.egress | default dict) .component }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
