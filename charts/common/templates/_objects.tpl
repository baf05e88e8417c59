{{- /*
abstract: The ServiceAccount of a component. It mounts no token.
values: {}
usage: {{ include "common.serviceaccount" (dict "root" $ "component" "api") }}
return:
  apiVersion: v1
  kind: ServiceAccount
  metadata: {name: demo-api, namespace: openstack, labels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: api, app.kubernetes.io/version: "2026.1", app.kubernetes.io/part-of: openstack, app.kubernetes.io/managed-by: Helm}}
  automountServiceAccountToken: false
*/ -}}
{{- define "common.serviceaccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "common.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- end -}}

{{- /*
abstract: Disruption budget: one member at a time leaves willingly. With a single replica it blocks nothing.
values: {}
usage: {{ include "common.pdb" (dict "root" $ "component" "api" "replicas" 3) }}
return:
  apiVersion: policy/v1
  kind: PodDisruptionBudget
  metadata: {name: demo-api, namespace: openstack, labels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: api, app.kubernetes.io/version: "2026.1", app.kubernetes.io/part-of: openstack, app.kubernetes.io/managed-by: Helm}}
  spec: {maxUnavailable: 1, unhealthyPodEvictionPolicy: AlwaysAllow, selector: {matchLabels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: api}}}
*/ -}}
{{- define "common.pdb" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "common.metadata" (omit . "name" "labels" "annotations") | nindent 2 }}
spec:
  maxUnavailable: {{ .maxUnavailable | default 1 }}
  unhealthyPodEvictionPolicy: {{ .unhealthyPodEvictionPolicy | default "AlwaysAllow" }}
  selector:
    matchLabels:
      {{- include "common.labels.selector" . | nindent 6 }}
{{- end -}}

{{- /*
abstract: A Service in front of a component. `ports` are {name, port, targetPort?}; the target is the container port of the same name. `headless: true` makes the one that gives members their DNS names, also before they are ready. `selector` narrows the choice of pods.
values: {}
usage: {{ include "common.service" (dict "root" $ "component" "server" "headless" true "ports" (list (dict "name" "mysql" "port" 3306))) }}
return:
  apiVersion: v1
  kind: Service
  metadata: {name: demo-server-members, namespace: openstack, labels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: server, app.kubernetes.io/version: "2026.1", app.kubernetes.io/part-of: openstack, app.kubernetes.io/managed-by: Helm}}
  spec:
    clusterIP: None
    publishNotReadyAddresses: true
    selector: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: server}
    ports: [{name: mysql, port: 3306, targetPort: mysql, protocol: TCP}]
*/ -}}
{{- define "common.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- $suffix := .suffix | default (ternary (printf "%s-members" .component) .component (eq .headless true)) }}
  {{- include "common.metadata" (merge (dict "suffix" $suffix) .) | nindent 2 }}
spec:
  {{- if .headless }}
  clusterIP: None
  publishNotReadyAddresses: true
  {{- end }}
  selector:
    {{- include "common.labels.selector" . | nindent 4 }}
    {{- with .selector }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports:
    {{- range .ports }}
    - name: {{ .name }}
      port: {{ .port }}
      targetPort: {{ .targetPort | default .name }}
      protocol: {{ .protocol | default "TCP" }}
    {{- end }}
{{- end -}}

{{- /*
abstract: Files of the chart's folder `files`, by their names, as the data of a ConfigMap.
values: {}
usage: {{ include "common.files" (dict "root" $ "names" (list "none.py")) }}
return: {none.py: ""}
*/ -}}
{{- define "common.files" -}}
{{- $data := dict -}}
{{- range .names }}{{ $_ := set $data . ($.root.Files.Get (printf "files/%s" .)) }}{{ end -}}
{{- toYaml $data -}}
{{- end -}}
