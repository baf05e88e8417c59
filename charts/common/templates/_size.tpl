{{- /*
abstract: "true" where the site or the user asked for the smallest thing that works, else nothing.
values: {global: {development: true}}
usage: {{ include "common.development" (dict "root" $) }}
return: true
*/ -}}
{{- define "common.development" -}}
{{- if (.root.Values.global).development -}}true{{- end -}}
{{- end -}}

{{- /*
abstract: A number of replicas; 1 in development.
values: {global: {development: false}}
usage: {{ include "common.replicas" (dict "root" $ "replicas" 3) }}
return: 3
*/ -}}
{{- define "common.replicas" -}}
{{- ternary 1 (int .replicas) (eq (include "common.development" .) "true") -}}
{{- end -}}

{{- /*
abstract: Resources of a container, from `resources.<component>`. In development requests are small; limits stay, since servers size themselves by them.
values: {resources: {api: {requests: {cpu: 500m, memory: 1Gi}, limits: {memory: 2Gi}}}}
usage: {{ include "common.resources" (dict "root" $ "component" "api") }}
return: {requests: {cpu: 500m, memory: 1Gi}, limits: {memory: 2Gi}}
*/ -}}
{{- define "common.resources" -}}
{{- $resources := get .root.Values.resources .component -}}
{{- if not $resources -}}
{{- fail (printf "`resources.%s` must be set, but is missing. Give it requests and limits." .component) -}}
{{- end -}}
{{- if eq (include "common.development" .) "true" -}}
{{- $resources = set (deepCopy $resources) "requests" (dict "cpu" "10m" "memory" "32Mi") -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}
