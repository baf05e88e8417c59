{{- /*
abstract: Reference of a kolla image; by digest where the site's image lock has one, else by release and distribution.
values: {image: {registry: quay.io/openstack.kolla, release: "", distro: ubuntu-noble, digests: {}}, global: {release: "2026.1"}}
usage: {{ include "common.image" (dict "root" $ "image" "keystone") }}
return: quay.io/openstack.kolla/keystone:2026.1-ubuntu-noble
*/ -}}
{{- define "common.image" -}}
{{- $image := .root.Values.image -}}
{{- with get ($image.digests | default dict) .image -}}
{{- printf "%s/%s@%s" $image.registry $.image . -}}
{{- else -}}
{{- printf "%s/%s:%s-%s" $image.registry .image (include "common.release" .) $image.distro -}}
{{- end -}}
{{- end -}}

{{- /*
abstract: The OpenStack release that runs: the chart's own `image.release`, else the site's, else the chart's application version.
values: {image: {release: ""}, global: {release: "2026.2"}}
usage: {{ include "common.release" (dict "root" $) }}
return: "2026.2"
*/ -}}
{{- define "common.release" -}}
{{- coalesce .root.Values.image.release (.root.Values.global).release .root.Chart.AppVersion -}}
{{- end -}}
