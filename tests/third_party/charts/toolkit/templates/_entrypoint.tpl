{{/* The address of an endpoint: <namespace>:<service>. */}}
{{- define "toolkit.address" -}}
{{- $endpoint := index .root.Values.endpoints .service -}}
{{- $hosts := $endpoint.hosts -}}
{{- $namespace := default .root.Release.Namespace $endpoint.namespace -}}
{{ $namespace }}:{{ default $hosts.default (index $hosts "internal") }}
{{- end -}}

{{/* What a pod waits for, from `dependencies.static.<component>`. */}}
{{- define "toolkit.entrypoint" -}}
{{- $needs := default dict (index .root.Values.dependencies.static .component) -}}
{{- $services := list -}}
{{- range $needs.services -}}
{{- $services = append $services (include "toolkit.address" (dict "root" $.root "service" .service)) -}}
{{- end -}}
initContainers:
  - name: init
    image: example.org/kubernetes-entrypoint:1.0
    command: [kubernetes-entrypoint]
    env:
      - {name: NAMESPACE, value: {{ .root.Release.Namespace }}}
      - {name: DEPENDENCY_SERVICE, value: {{ join "," $services | quote }}}
      - {name: DEPENDENCY_JOBS, value: {{ join "," (default list $needs.jobs) | quote }}}
      - {name: DEPENDENCY_DAEMONSET, value: {{ join "," (default list $needs.daemonset) | quote }}}
      - {name: DEPENDENCY_POD_JSON, value: {{ if $needs.pod }}{{ toJson $needs.pod | quote }}{{ else }}""{{ end }}}
{{- end -}}

{{/* The labels by which Services find pods. */}}
{{- define "toolkit.labels" -}}
release_group: {{ .root.Release.Name }}
application: {{ .root.Chart.Name }}
component: {{ .component }}
{{- end -}}

{{/* A Deployment, StatefulSet or DaemonSet of one component. */}}
{{- define "toolkit.workload" -}}
{{- $name := default (printf "%s-%s" .root.Chart.Name .component) .name -}}
apiVersion: apps/v1
kind: {{ .kind }}
metadata:
  name: {{ $name }}
  labels:
    {{- include "toolkit.labels" . | nindent 4 }}
spec:
  {{- if ne .kind "DaemonSet" }}
  replicas: {{ index .root.Values.pod.replicas .component }}
  {{- end }}
  {{- if eq .kind "StatefulSet" }}
  serviceName: {{ .service }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "toolkit.labels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "toolkit.labels" . | nindent 8 }}
    spec:
      {{- include "toolkit.entrypoint" . | nindent 6 }}
      containers:
        - name: main
          image: example.org/{{ .root.Chart.Name }}:1.0
          {{- with .config }}
          envFrom:
            - secretRef: {name: {{ . }}}
          {{- end }}
{{- end -}}

{{/* A Job that is a hook, as long as helm is the one who installs. */}}
{{- define "toolkit.job" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .root.Chart.Name }}-{{ .component | replace "_" "-" }}
  annotations:
    helm.sh/hook: post-install,post-upgrade
    helm.sh/hook-weight: {{ default "-1" .weight | quote }}
spec:
  backoffLimit: 1000
  template:
    metadata:
      labels:
        {{- include "toolkit.labels" (dict "root" .root "component" (.component | replace "_" "-")) | nindent 8 }}
    spec:
      restartPolicy: OnFailure
      {{- include "toolkit.entrypoint" . | nindent 6 }}
      containers:
        - name: main
          image: example.org/{{ .root.Chart.Name }}:1.0
{{- end -}}

{{/* The Service of one component. */}}
{{- define "toolkit.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .name }}
spec:
  ports: [{name: main, port: {{ .port }}}]
  selector:
    {{- include "toolkit.labels" . | nindent 4 }}
{{- end -}}
