{{- /*
abstract: Init container that waits until every target accepts a TCP connection, one after another, and says which one it waits for. It needs bash and timeout of the service's own image, and no Kubernetes API.
values: {image: {registry: r.example, release: "", distro: ubuntu-noble, pullPolicy: IfNotPresent, digests: {}}}
usage: {{ include "common.wait" (dict "root" $ "image" "keystone" "targets" (list (dict "host" "db.openstack.svc" "port" 3306))) }}
return:
  - name: wait
    image: r.example/keystone:2026.1-ubuntu-noble
    imagePullPolicy: IfNotPresent
    command: [bash, -euc, "for target in \"$@\"; do\n  host=${target%:*} port=${target##*:}\n  # shellcheck disable=SC2016 # the inner shell expands them\n  until timeout 5 bash -c 'exec 3<>\"/dev/tcp/$0/$1\"' \"$host\" \"$port\" 2>/dev/null; do\n    echo \"waiting for $target\"\n    sleep 2\n  done\n  echo \"$target answers\"\ndone\n", wait, "db.openstack.svc:3306"]
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, readOnlyRootFilesystem: true}
    resources: {requests: {cpu: 10m, memory: 32Mi}, limits: {memory: 64Mi}}
*/ -}}
{{- define "common.wait" -}}
- name: {{ .name | default "wait" }}
  image: {{ include "common.image" . }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  command:
    - bash
    - -euc
    - |
      for target in "$@"; do
        host=${target%:*} port=${target##*:}
        # shellcheck disable=SC2016 # the inner shell expands them
        until timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$host" "$port" 2>/dev/null; do
          echo "waiting for $target"
          sleep 2
        done
        echo "$target answers"
      done
    - wait
    {{- range .targets }}
    - {{ printf "%s:%v" .host .port | quote }}
    {{- end }}
  securityContext:
    {{- include "common.container.security" . | nindent 4 }}
  resources:
    requests: {cpu: 10m, memory: 32Mi}
    limits: {memory: 64Mi}
{{- end -}}
