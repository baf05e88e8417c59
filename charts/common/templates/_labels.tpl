{{- /*
abstract: Labels that select the pods of one component: exactly these three, since selectors are immutable.
values: {}
usage: {{ include "common.labels.selector" (dict "root" $ "component" "api") }}
return: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: api}
*/ -}}
{{- define "common.labels.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- /*
abstract: Labels of every object and pod template.
values: {}
usage: {{ include "common.labels.object" (dict "root" $ "component" "api") }}
return: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: api, app.kubernetes.io/version: "2026.1", app.kubernetes.io/part-of: openstack, app.kubernetes.io/managed-by: Helm}
*/ -}}
{{- define "common.labels.object" -}}
{{ include "common.labels.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: openstack
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end -}}

{{- /*
abstract: The inside of an object's metadata. The name is `name`, else made from `suffix`, else from `component`.
values: {}
usage: {{ include "common.metadata" (dict "root" $ "component" "api" "suffix" "api-scripts" "annotations" (dict "note" "read me")) }}
return: {name: demo-api-scripts, namespace: openstack, labels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: api, app.kubernetes.io/version: "2026.1", app.kubernetes.io/part-of: openstack, app.kubernetes.io/managed-by: Helm}, annotations: {note: read me}}
*/ -}}
{{- define "common.metadata" -}}
name: {{ .name | default (include "common.names.name" (dict "root" .root "suffix" (.suffix | default .component))) }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "common.labels.object" . | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
