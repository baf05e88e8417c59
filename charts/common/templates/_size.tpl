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

{{- /*
abstract: Number of members of a component that needs a majority, checked: an odd one. 1 in development. `value` is where the values have it and `what` the thing that has members, for the message.
values: {global: {development: false}}
usage: {{ include "common.quorum" (dict "root" $ "value" "replicas" "replicas" 3 "what" "the cluster") }}
return: 3
*/ -}}
{{- define "common.quorum" -}}
{{- $found := int .replicas -}}
{{- if lt $found 1 -}}
{{- fail (printf "`%s` must be 1 or more, but is %d. To stop %s, remove the instance; its volumes are kept." .value $found .what) -}}
{{- else if not (mod $found 2) -}}
{{- fail (printf "`%s` must be odd, but is %d: it survives no more losses than %d. Use %d or %d." .value $found (sub $found 1) (sub $found 1) (add $found 1)) -}}
{{- end -}}
{{- include "common.replicas" (dict "root" .root "replicas" $found) -}}
{{- end -}}

{{- /*
abstract: A Kubernetes quantity of memory or storage, in bytes. `value` is where the values have it, for the message.
values: {}
usage: {{ include "common.bytes" (dict "value" "storage.size" "quantity" "1.5Gi") }}
return: 1610612736
*/ -}}
{{- define "common.bytes" -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- $quantity := toString .quantity -}}
{{- if not (regexMatch "^[0-9]+([.][0-9]+)?([kMGT]|[KMGT]i)?$" $quantity) -}}
{{- fail (printf "`%s` must be a quantity such as \"2Gi\", but is %q." .value $quantity) -}}
{{- end -}}
{{- $unit := regexFind "[a-zA-Z]*$" $quantity -}}
{{- mulf (trimSuffix $unit $quantity | float64) (get $units $unit) | floor | int64 -}}
{{- end -}}
