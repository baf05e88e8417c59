{{- /*
abstract: Pod spec of the Job that prepares one consumer's database, user and rights. A user that several entries share is given the databases of all of them.
values: {}
usage: {{ include "mariadb.provision" (dict "root" $ "consumer" (dict "database" "nova" "username" "nova" "secretName" "nova-database")) }}
return: {containers: [], volumes: []}
*/ -}}
{{- define "mariadb.provision" -}}
{{- $values := .root.Values -}}
{{- $databases := list .consumer.database -}}
{{- range $key, $other := $values.consumers -}}
{{- if eq $other.username $.consumer.username -}}
{{- if ne $other.secretName $.consumer.secretName -}}
{{- fail (printf "`consumers.%s` must not share the user %q with a consumer that has another Secret (%q and %q). Give it a username of its own." $key $other.username $other.secretName $.consumer.secretName) -}}
{{- end -}}
{{- $databases = append $databases $other.database -}}
{{- end -}}
{{- end -}}
containers:
  - name: provision
    image: {{ include "common.image" (dict "root" .root "image" "mariadb-server") }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    command: [python3, {{ $values.paths.scripts }}/provision.py]
    env:
      - name: ADMIN_PASSWORD
        valueFrom:
          secretKeyRef:
            name: {{ include "common.names.name" (dict "root" .root "suffix" "root") }}
            key: password
      - name: PASSWORD
        valueFrom:
          secretKeyRef:
            name: {{ .consumer.secretName }}
            key: password
      - {name: HOST, value: {{ include "common.names.host" (dict "root" .root "component" "proxy") }}}
      - {name: PORT, value: {{ $values.ports.mysql | quote }}}
      - {name: DATABASE, value: {{ .consumer.database | quote }}}
      - {name: DATABASES, value: {{ uniq $databases | sortAlpha | join " " | quote }}}
      - {name: COLLATION, value: {{ $values.server.collation | quote }}}
      - {name: USERNAME, value: {{ .consumer.username | quote }}}
      {{- if $values.tls.enabled }}
      - {name: TLS, value: {{ $values.paths.tls }}}
      {{- end }}
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
