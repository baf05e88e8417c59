{{- /* MiB for items. */ -}}
{{- define "memcached.memory" -}}
{{- ternary 64 (int .Values.memory) (eq (include "common.development" (dict "root" $)) "true") -}}
{{- end -}}

{{- /*
Beside its items a member needs memory for the hash table and page rounding (both grow with the items), for connections
and for threads. Request and limit are equal: a cache that is killed for memory is a cache that is empty.
*/ -}}
{{- define "memcached.resources" -}}
{{- $items := include "memcached.memory" . | int -}}
{{- $memory := printf "%dMi" (add $items (div $items 8) (div .Values.connections 64) 64) -}}
{{- $resources := include "common.resources" (dict "root" $ "component" "server") | fromYaml -}}
{{- toYaml (mergeOverwrite $resources (dict "requests" (dict "memory" $memory) "limits" (dict "memory" $memory))) -}}
{{- end -}}

{{- /*
A member that accepts a connection but does not answer is not well, so a probe waits for an answer. For `ready` it is the
version; for `alive` any answer will do, since a member that turns clients away at its connection limit is not helped by a restart.
*/ -}}
{{- define "memcached.probe" -}}
{{- $address := get (dict "0.0.0.0" "127.0.0.1" "::" "::1") .root.Values.address | default .root.Values.address -}}
exec:
  command:
    - bash
    - -c
    - |
      trap '' PIPE
      exec 3<>"/dev/tcp/${1}/11211" || exit
      printf 'version\r\nquit\r\n' >&3
      read -r -t 4 answer <&3
      [[ ${answer} =~ ${2} ]]
    - probe
    - {{ $address | quote }}
    - {{ get (dict "ready" "^VERSION " "alive" ".") .is | quote }}
{{- toYaml (get .root.Values.probes .probe) | nindent 0 }}
{{- end -}}
