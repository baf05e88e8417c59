{{- /*
abstract: Number of members, checked: a quorum needs an odd one. 1 in development.
values: {replicas: 3, global: {development: false}}
usage: {{ include "mariadb.replicas" (dict "root" $) }}
return: 3
*/ -}}
{{- define "mariadb.replicas" -}}
{{- $found := int .root.Values.replicas -}}
{{- if lt $found 1 -}}
{{- fail (printf "`replicas` must be 1 or more, but is %d. To stop the database, remove the instance; its volumes are kept." $found) -}}
{{- else if not (mod $found 2) -}}
{{- fail (printf "`replicas` must be odd, but is %d: it survives no more losses than %d. Use %d or %d." $found (sub $found 1) (sub $found 1) (add $found 1)) -}}
{{- end -}}
{{- include "common.replicas" (dict "root" .root "replicas" $found) -}}
{{- end -}}

{{- /*
abstract: Addresses of the members in the order of their ordinals, as a JSON list: given ones, else DNS names.
values: {replicas: 1, network: {members: []}}
usage: {{ include "mariadb.members" (dict "root" $) }}
return: [demo-server-0.demo-server-members.openstack.svc]
*/ -}}
{{- define "mariadb.members" -}}
{{- $replicas := include "mariadb.replicas" . | int -}}
{{- $given := .root.Values.network.members -}}
{{- if and $given (ne (len $given) $replicas) -}}
{{- fail (printf "`network.members` must have one address per member, but has %d for %d. Leave it empty to use DNS names." (len $given) $replicas) -}}
{{- end -}}
{{- if $given -}}
{{- toJson $given -}}
{{- else -}}
{{- include "common.names.members" (dict "root" .root "component" "server" "replicas" $replicas) -}}
{{- end -}}
{{- end -}}

{{- /*
abstract: A Kubernetes quantity of memory, in bytes. `name` is the value's, for the message.
values: {}
usage: {{ include "mariadb.bytes" (dict "name" "server.redoLog" "quantity" "1.5Gi") }}
return: 1610612736
*/ -}}
{{- define "mariadb.bytes" -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- $quantity := toString .quantity -}}
{{- if not (regexMatch "^[0-9]+([.][0-9]+)?([kMGT]|[KMGT]i)?$" $quantity) -}}
{{- fail (printf "`%s` must be a quantity such as \"2Gi\", but is %q." .name $quantity) -}}
{{- end -}}
{{- $unit := regexFind "[a-zA-Z]*$" $quantity -}}
{{- mulf (trimSuffix $unit $quantity | float64) (get $units $unit) | floor | int64 -}}
{{- end -}}

{{- /*
abstract: Size of the page cache in bytes: what is set, else a share of the server's memory limit.
values: {server: {bufferPool: "", bufferPoolPercent: 50}, resources: {server: {limits: {memory: 4Gi}}}}
usage: {{ include "mariadb.bufferpool" (dict "root" $) }}
return: 2147483648
*/ -}}
{{- define "mariadb.bufferpool" -}}
{{- $server := .root.Values.server -}}
{{- if $server.bufferPool -}}
{{- include "mariadb.bytes" (dict "name" "server.bufferPool" "quantity" $server.bufferPool) -}}
{{- else -}}
{{- $limit := include "mariadb.bytes" (dict "name" "resources.server.limits.memory" "quantity" .root.Values.resources.server.limits.memory) | int64 -}}
{{- div (mul $limit $server.bufferPoolPercent) 100 -}}
{{- end -}}
{{- end -}}
