{{- /*
abstract: A legal name from any name. Above 52 characters the first 43 are kept and 8 hex digits of the whole name's sha256 follow; a Job can still append "-" and 10 digits below 63.
values: {}
usage: {{ include "common.names.short" (dict "name" (repeat 60 "a")) }}
return: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-11ee3912
*/ -}}
{{- define "common.names.short" -}}
{{- if gt (len .name) 52 -}}
{{- printf "%s-%s" (regexReplaceAll "-+$" (trunc 43 .name) "") (.name | sha256sum | trunc 8) -}}
{{- else -}}
{{- .name -}}
{{- end -}}
{{- end -}}

{{- /*
abstract: The name of an object of this instance. Without a suffix it is the instance itself.
values: {}
usage: {{ include "common.names.name" (dict "root" $ "suffix" "api") }}
return: demo-api
*/ -}}
{{- define "common.names.name" -}}
{{- include "common.names.short" (dict "name" (ternary (printf "%s-%s" .root.Release.Name .suffix) .root.Release.Name (not (empty .suffix)))) -}}
{{- end -}}

{{- /*
abstract: DNS name of a component's client Service. It ends in .svc, so no cluster domain is assumed.
values: {}
usage: {{ include "common.names.host" (dict "root" $ "component" "api") }}
return: demo-api.openstack.svc
*/ -}}
{{- define "common.names.host" -}}
{{- printf "%s.%s.svc" (include "common.names.name" (dict "root" .root "suffix" .component)) .root.Release.Namespace -}}
{{- end -}}

{{- /*
abstract: Domain below which the members of a StatefulSet have their own DNS names (its headless Service).
values: {}
usage: {{ include "common.names.domain" (dict "root" $ "component" "server") }}
return: demo-server-members.openstack.svc
*/ -}}
{{- define "common.names.domain" -}}
{{- include "common.names.host" (dict "root" .root "component" (printf "%s-members" .component)) -}}
{{- end -}}

{{- /*
abstract: DNS name of member i of a StatefulSet.
values: {}
usage: {{ include "common.names.member" (dict "root" $ "component" "server" "ordinal" 2) }}
return: demo-server-2.demo-server-members.openstack.svc
*/ -}}
{{- define "common.names.member" -}}
{{- printf "%s-%d.%s" (include "common.names.name" (dict "root" .root "suffix" .component)) (int .ordinal) (include "common.names.domain" .) -}}
{{- end -}}

{{- /*
abstract: DNS names of all members of a StatefulSet as a JSON list (read it with fromJsonArray).
values: {global: {development: false}}
usage: {{ include "common.names.members" (dict "root" $ "component" "server" "replicas" 2) }}
return: [demo-server-0.demo-server-members.openstack.svc, demo-server-1.demo-server-members.openstack.svc]
*/ -}}
{{- define "common.names.members" -}}
{{- $names := list -}}
{{- range $i := until (include "common.replicas" . | int) -}}
{{- $names = append $names (include "common.names.member" (dict "root" $.root "component" $.component "ordinal" $i)) -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}
