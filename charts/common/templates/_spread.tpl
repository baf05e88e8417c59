{{- /*
abstract: How many hosts this chart's pods may run on, by zone ("" for those without one), as a JSON map: from what `global.topology` says of the hosts and `scheduling` of the pods. Empty where the site does not say what its hosts are.
values: {global: {topology: {hosts: [{count: 2, zone: a, labels: {control: "yes"}}, {count: 1, zone: b, labels: {control: "yes"}}, {count: 9, zone: b}, {count: 4, zone: a, labels: {control: "yes"}, taints: [{key: gpu, effect: NoSchedule}]}]}}, scheduling: {nodeSelector: {control: "yes"}}}
usage: {{ include "common.spread.zones" (dict "root" $) }}
return: {a: 2, b: 1}
*/ -}}
{{- define "common.spread.zones" -}}
{{- $scheduling := .root.Values.scheduling | default dict -}}
{{- $zones := dict -}}
{{- range ((.root.Values.global).topology).hosts -}}
{{- $labels := merge (dict "topology.kubernetes.io/zone" (.zone | default "") "kubernetes.io/os" "linux") (.labels | default dict) -}}
{{- $fits := true -}}
{{- range $key, $value := $scheduling.nodeSelector -}}
{{- if ne (toString $value) (get $labels $key) }}{{ $fits = false }}{{ end -}}
{{- end -}}
{{- range .taints -}}
{{- $tolerated := dict "taint" . "tolerations" $scheduling.tolerations | include "common.spread.tolerates" -}}
{{- if and (ne .effect "PreferNoSchedule") (not $tolerated) }}{{ $fits = false }}{{ end -}}
{{- end -}}
{{- if $fits -}}
{{- $_ := set $zones (.zone | default "") (add (get $zones (.zone | default "") | int) .count) -}}
{{- end -}}
{{- end -}}
{{- toJson $zones -}}
{{- end -}}

{{- /*
abstract: "true" where one of `tolerations` tolerates `taint`, else nothing.
values: {}
usage: {{ include "common.spread.tolerates" (dict "taint" (dict "key" "gpu" "value" "a" "effect" "NoSchedule") "tolerations" (list (dict "key" "gpu" "operator" "Exists"))) }}
return: true
*/ -}}
{{- define "common.spread.tolerates" -}}
{{- $taint := .taint -}}
{{- $found := "" -}}
{{- range .tolerations -}}
{{- $key := or (not .key) (eq (toString .key) $taint.key) -}}
{{- $effect := or (not .effect) (eq (toString .effect) $taint.effect) -}}
{{- $value := or (eq (toString .operator) "Exists") (eq (.value | default "" | toString) ($taint.value | default "" | toString)) -}}
{{- if and $key $effect $value }}{{ $found = "true" }}{{ end -}}
{{- end -}}
{{- $found -}}
{{- end -}}

{{- /*
abstract: Spread of `replicas` pods of a component over hosts and zones. It is binding (DoNotSchedule) where `global.topology` has the hosts, and the zones, that it takes, and a wish otherwise: docs/decisions has the argument. Pods of a rollout are counted apart from those that they replace; hosts that are away or cordoned are not counted.
values: {global: {topology: {hosts: [{count: 3, zone: a}, {count: 2, zone: b}]}}}
usage: {{ include "common.spread" (dict "root" $ "component" "server" "role" "quorum" "replicas" 3) }}
return:
  topologySpreadConstraints:
    - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, minDomains: 3, nodeTaintsPolicy: Honor, labelSelector: {matchLabels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: server}}}
    - {maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: server}}}
*/ -}}
{{- define "common.spread" -}}
{{- $zones := include "common.spread.zones" . | fromJson -}}
{{- $quorum := eq .role "quorum" -}}
{{- $least := ternary 3 2 $quorum -}}
{{- $count := include "common.replicas" (dict "root" .root "replicas" (.replicas | default 1)) | int -}}
{{- $hosts := 0 -}}
{{- range values $zones }}{{ $hosts = add $hosts . | int }}{{ end -}}
{{- /* One zone apart for each member (or as many as there must be), and no zone smaller than its share. */ -}}
{{- $share := div $count (max 1 (len $zones)) | int -}}
{{- $larger := 0 -}}
{{- $even := and (not (hasKey $zones "")) (ge (len $zones) $least) (le $count $hosts) -}}
{{- range values $zones -}}
{{- if lt (int .) $share }}{{ $even = false }}{{ end -}}
{{- if gt (int .) $share }}{{ $larger = add $larger 1 | int }}{{ end -}}
{{- end -}}
{{- $even = and $even (ge $larger (mod $count (max 1 (len $zones)) | int)) -}}
{{- $apart := list (dict "key" "kubernetes.io/hostname" "binding" (ge $hosts $least) "domains" (ternary (ternary $count 0 (le $count $hosts)) (ternary 2 0 (ge $hosts 3)) $quorum)) -}}
{{- if and (gt (len $zones) 1) (not (hasKey $zones "")) -}}
{{- $apart = append $apart (dict "key" "topology.kubernetes.io/zone" "binding" $even "domains" (ternary $count 0 (and $quorum (le $count (len $zones))))) -}}
{{- end -}}
topologySpreadConstraints:
  {{- range $apart }}
  - maxSkew: 1
    topologyKey: {{ .key }}
    {{- if and .binding (gt $count 1) }}
    whenUnsatisfiable: DoNotSchedule
    {{- with .domains }}
    minDomains: {{ . }}
    {{- end }}
    nodeTaintsPolicy: Honor
    {{- if not $quorum }}
    matchLabelKeys: [pod-template-hash]
    {{- end }}
    {{- else }}
    whenUnsatisfiable: ScheduleAnyway
    {{- end }}
    labelSelector:
      matchLabels:
        {{- include "common.labels.selector" (pick $ "root" "component") | nindent 8 }}
  {{- end }}
{{- end -}}
