{{- /*
abstract: Pod spec of the Job that prepares one consumer's virtual host, user and rights.
values: {}
usage: {{ include "rabbitmq.provision" (dict "root" $ "consumer" (dict "vhost" "nova" "username" "nova" "secretName" "nova-messaging")) }}
return: {containers: [], volumes: []}
*/ -}}
{{- define "rabbitmq.provision" -}}
{{- $values := .root.Values -}}
containers:
  - name: provision
    image: {{ include "common.image" (dict "root" .root "image" "rabbitmq") }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    command: [python3, {{ $values.paths.scripts }}/provision.py]
    env:
      - name: ADMIN_PASSWORD
        valueFrom:
          secretKeyRef:
            name: {{ include "common.names.name" (dict "root" .root "suffix" "admin") }}
            key: password
      - name: PASSWORD
        valueFrom:
          secretKeyRef:
            name: {{ .consumer.secretName }}
            key: password
      - {name: ADMIN, value: {{ $values.admin.username | quote }}}
      - {name: API, value: "{{ ternary "https" "http" $values.tls.enabled }}://{{ include "common.names.host" (dict "root" .root "component" "server") }}:{{ $values.ports.management }}"}
      {{- if $values.tls.enabled }}
      - {name: AUTHORITY, value: {{ $values.paths.tls }}/ca.crt}
      {{- end }}
      - {name: USERNAME, value: {{ .consumer.username | quote }}}
      - {name: VHOST, value: {{ .consumer.vhost | quote }}}
      - {name: WAIT_SECONDS, value: "600"}
    resources:
      {{- include "common.resources" (dict "root" .root "component" "provision") | nindent 6 }}
    securityContext:
      {{- include "common.container.security" (dict "root" .root) | nindent 6 }}
    volumeMounts:
      - {name: scripts, mountPath: {{ $values.paths.scripts }}, readOnly: true}
      {{- include "common.tls.mount" . | nindent 6 }}
volumes:
  {{- include "common.tls.volume" (dict "root" .root "component" "server" "authority" true) | nindent 2 }}
  - name: scripts
    configMap:
      name: {{ include "common.names.name" (dict "root" .root "suffix" "provision") }}
{{- end -}}
