{{- /*
abstract: Name of a Job: purpose, then 10 hex digits of its whole pod template, so that a change of image, script, configuration or parameters is another Job.
values: {}
usage: {{ include "common.job.name" (dict "root" $ "component" "sync" "spec" "image: a") }}
return: demo-sync-2413bd7256
*/ -}}
{{- define "common.job.name" -}}
{{- printf "%s-%s" (include "common.names.name" (dict "root" .root "suffix" (.suffix | default .component))) (.spec | sha256sum | trunc 10) -}}
{{- end -}}

{{- /*
abstract: A whole Job from a pod template (text made by common.pod.template). It retries a bounded number of times, has a deadline and stays as a record. `consumer` is the key in `.Values.consumers` it prepares.
values: {jobs: {backoffLimit: 10, activeDeadlineSeconds: 3600}}
usage: {{ include "common.job" (dict "root" $ "component" "sync" "template" "spec: {containers: [{name: sync}]}") }}
return:
  apiVersion: batch/v1
  kind: Job
  metadata: {name: demo-sync-cde10d67ee, namespace: openstack, labels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: sync, app.kubernetes.io/version: "2026.1", app.kubernetes.io/part-of: openstack, app.kubernetes.io/managed-by: Helm}}
  spec:
    backoffLimit: 10
    activeDeadlineSeconds: 3600
    template: {spec: {containers: [{name: sync}], restartPolicy: OnFailure}}
*/ -}}
{{- define "common.job" -}}
{{- $labels := ternary (dict "oscompile.io/consumer" (include "common.names.short" (dict "name" (.consumer | default "")))) dict (not (empty .consumer)) -}}
{{- $template := include "common.job.template" (dict "component" .component "template" .template "labels" $labels) -}}
{{- $name := include "common.job.name" (dict "root" .root "component" .component "suffix" .suffix "spec" $template) -}}
{{- $jobs := .root.Values.jobs | default dict -}}
apiVersion: batch/v1
kind: Job
metadata:
  {{- include "common.metadata" (dict "root" .root "component" .component "name" $name "labels" $labels "annotations" .annotations) | nindent 2 }}
spec:
  backoffLimit: {{ dig "backoffLimit" 10 $jobs }}
  activeDeadlineSeconds: {{ dig "activeDeadlineSeconds" 3600 $jobs }}
  template:
    {{- $template | nindent 4 }}
{{- end -}}

{{- /*
abstract: A pod template (text) as a Job needs it: its containers are started again in place when they fail. `labels` are added to the pod's.
values: {}
usage: {{ include "common.job.template" (dict "component" "sync" "template" "spec: {containers: [{name: sync}]}" "labels" (dict "a" "b")) }}
return: {metadata: {labels: {a: b}}, spec: {containers: [{name: sync}], restartPolicy: OnFailure}}
*/ -}}
{{- define "common.job.template" -}}
{{- $template := fromYaml .template -}}
{{- with $template.Error }}{{ fail (printf "the pod template of `%s` must be YAML, but is not: %s" $.component .) }}{{ end -}}
{{- $_ := set $template.spec "restartPolicy" "OnFailure" -}}
{{- with .labels }}{{ $_ := merge $template (dict "metadata" (dict "labels" .)) }}{{ end -}}
{{- toYaml $template -}}
{{- end -}}
