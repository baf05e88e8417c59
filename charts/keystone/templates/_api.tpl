{{- define "keystone.api" -}}
# Time to leave the Service, then for running requests, then for the server to end.
terminationGracePeriodSeconds: {{ add .Values.drainSeconds .Values.requestSeconds 15 }}
{{ include "keystone.wait" . }}
containers:
  - {{- include "keystone.container" (dict "root" $ "name" "api" "resources" "api") | nindent 4 }}
    command: [uwsgi, --ini, {{ .Values.configDirectory }}/uwsgi.ini]
    env:
      {{- include "keystone.env" (dict "root" $ "timeout" .Values.database.answerSeconds) | nindent 6 }}
      {{- include "common.oslo.messaging" (dict "root" $ "binding" .Values.bindings.notifications "secret" "notifications") | nindent 6 }}
    ports:
      - {name: api, containerPort: 5000}
    startupProbe:
      httpGet: {path: /healthcheck, port: api}
      {{- toYaml .Values.probes.startup | nindent 6 }}
    readinessProbe:
      httpGet: {path: /healthcheck, port: api}
      {{- toYaml .Values.probes.readiness | nindent 6 }}
    # The master alone: processes that wait for a database are not helped by a restart, and those that hang it replaces itself.
    livenessProbe:
      exec:
        command:
          - bash
          - -c
          - |
            exec 3<>"/dev/tcp/${1%:*}/${1##*:}" || exit
            read -r -t 4 answer <&3
            [[ ${answer} == "{"* ]]
          - probe
          - {{ .Values.listen.stats | quote }}
      {{- toYaml .Values.probes.liveness | nindent 6 }}
    lifecycle:
      preStop:
        exec: {command: [sleep, {{ .Values.drainSeconds | quote }}]}
    volumeMounts:
      {{- $files := include "keystone.files.api" . | fromYaml | keys | sortAlpha }}
      {{- include "keystone.mounts" (dict "root" $ "files" $files) | nindent 6 }}
      {{- include "keystone.mounts.keys" . | nindent 6 }}
volumes:
  {{- include "keystone.volumes" (dict "root" $ "config" "api") | nindent 2 }}
  {{- include "keystone.volumes.keys" . | nindent 2 }}
{{- end -}}
