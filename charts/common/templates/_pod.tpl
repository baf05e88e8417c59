{{- /*
abstract: Where pods of a component run: spread over hosts and zones (common.spread, which counts `replicas`), away from lost nodes, with the role's priority. Stateless roles leave an unreachable node early; quorum members and agents belong to their node.
values: {scheduling: {tolerationSeconds: 30, priorityClasses: {api: control-plane}, nodeSelector: {}, tolerations: []}}
usage: {{ include "common.pod.scheduling" (dict "root" $ "component" "api" "role" "api") }}
return:
  affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: api}}}}]}}
  topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: api}}}]
  tolerations: [{key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 30}, {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 30}]
  priorityClassName: control-plane
*/ -}}
{{- define "common.pod.scheduling" -}}
{{- $scheduling := .root.Values.scheduling | default dict -}}
{{- $selector := include "common.labels.selector" . -}}
{{- if not (has .role (list "job" "cron" "agent")) -}}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- $selector | nindent 14 }}
{{ include "common.spread" . }}
{{- end }}
{{- $leave := not (has .role (list "quorum" "agent")) }}
{{- if or $leave $scheduling.tolerations }}
tolerations:
  {{- if $leave }}
  {{- range list "not-ready" "unreachable" }}
  - key: node.kubernetes.io/{{ . }}
    operator: Exists
    effect: NoExecute
    tolerationSeconds: {{ dig "tolerationSeconds" 30 $scheduling }}
  {{- end }}
  {{- end }}
  {{- with $scheduling.tolerations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- with $scheduling.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with get (merge (dict) ($scheduling.priorityClasses | default dict) ((.root.Values.global).priorityClasses | default dict)) .role }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- /*
abstract: Security context of a pod whose containers all run under one unprivileged uid (kolla's uid of the service). The group owns the volumes.
values: {}
usage: {{ include "common.pod.security" (dict "root" $ "user" 42425) }}
return: {runAsNonRoot: true, runAsUser: 42425, runAsGroup: 42425, fsGroup: 42425, fsGroupChangePolicy: OnRootMismatch, seccompProfile: {type: RuntimeDefault}}
*/ -}}
{{- define "common.pod.security" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .group | default .user }}
fsGroup: {{ .group | default .user }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- /*
abstract: Security context of a container: Pod Security "restricted" and a read-only root file system.
values: {}
usage: {{ include "common.container.security" (dict "root" $) }}
return: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, readOnlyRootFilesystem: true}
*/ -}}
{{- define "common.container.security" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
{{- end -}}

{{- /*
abstract: A whole pod template. `spec` is YAML text with containers, volumes and whatever else the component has; identity, security and scheduling are added here; `replicas` is how many there will be, for a component that has several. `config` is the text of everything that is mounted from ConfigMaps: its checksum rolls the pods. `token: true` mounts a token for the Kubernetes API.
values: {}
usage: {{ include "common.pod.template" (dict "root" $ "component" "sync" "role" "job" "user" 42425 "config" "[DEFAULT]" "spec" "containers: [{name: sync}]") }}
return:
  metadata:
    labels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: sync, app.kubernetes.io/version: "2026.1", app.kubernetes.io/part-of: openstack, app.kubernetes.io/managed-by: Helm}
    annotations: {checksum/config: 37cac9c3dc46d04c4f3d5247d7b9cfe172150ab2fb5a263b0ba4833b1fd4277f}
  spec:
    serviceAccountName: demo-sync
    automountServiceAccountToken: false
    enableServiceLinks: false
    securityContext: {runAsNonRoot: true, runAsUser: 42425, runAsGroup: 42425, fsGroup: 42425, fsGroupChangePolicy: OnRootMismatch, seccompProfile: {type: RuntimeDefault}}
    tolerations: [{key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 30}, {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 30}]
    containers: [{name: sync}]
*/ -}}
{{- define "common.pod.template" -}}
metadata:
  labels:
    {{- include "common.labels.object" . | nindent 4 }}
    {{- with .labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- if or .config .annotations }}
  annotations:
    {{- with .config }}
    checksum/config: {{ include "common.checksum" (dict "root" $.root "content" .) }}
    {{- end }}
    {{- with .annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
spec:
  serviceAccountName: {{ include "common.names.name" (dict "root" .root "suffix" .component) }}
  automountServiceAccountToken: {{ .token | default false }}
  enableServiceLinks: false
  securityContext:
    {{- include "common.pod.security" . | nindent 4 }}
  {{- include "common.pod.scheduling" . | nindent 2 }}
  {{- .spec | trim | nindent 2 }}
{{- end -}}

{{- /*
abstract: sha256 of a text, for pod annotations: give it exactly what the pod mounts.
values: {}
usage: {{ include "common.checksum" (dict "root" $ "content" "debug = true") }}
return: 3e219072f406b778015ab2ff9717e51d7449c28741ef30134e4f538f89b0602f
*/ -}}
{{- define "common.checksum" -}}
{{- sha256sum .content -}}
{{- end -}}
