{{- /*
abstract: Number of members, checked: Raft needs an odd one. 1 in development.
values: {replicas: 3, global: {development: false}}
usage: {{ include "rabbitmq.replicas" (dict "root" $) }}
return: 3
*/ -}}
{{- define "rabbitmq.replicas" -}}
{{- $found := int .root.Values.replicas -}}
{{- if lt $found 1 -}}
{{- fail (printf "`replicas` must be 1 or more, but is %d. To stop the broker, remove the instance; its volumes are kept." $found) -}}
{{- else if not (mod $found 2) -}}
{{- fail (printf "`replicas` must be odd, but is %d: it survives no more losses than %d. Use %d or %d." $found (sub $found 1) (sub $found 1) (add $found 1)) -}}
{{- end -}}
{{- include "common.replicas" (dict "root" .root "replicas" $found) -}}
{{- end -}}

{{- /*
abstract: A Kubernetes quantity of memory or storage, in bytes. `name` is the value's, for the message.
values: {}
usage: {{ include "rabbitmq.bytes" (dict "name" "storage.size" "quantity" "1.5Gi") }}
return: 1610612736
*/ -}}
{{- define "rabbitmq.bytes" -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- $quantity := toString .quantity -}}
{{- if not (regexMatch "^[0-9]+([.][0-9]+)?([kMGT]|[KMGT]i)?$" $quantity) -}}
{{- fail (printf "`%s` must be a quantity such as \"2Gi\", but is %q." .name $quantity) -}}
{{- end -}}
{{- $unit := regexFind "[a-zA-Z]*$" $quantity -}}
{{- mulf (trimSuffix $unit $quantity | float64) (get $units $unit) | floor | int64 -}}
{{- end -}}
