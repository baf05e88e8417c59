{{- define "memcached.pod" -}}
terminationGracePeriodSeconds: {{ add .Values.drainSeconds 20 }}
containers:
  - name: server
    image: {{ include "common.image" (dict "root" $ "image" "memcached") }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    command:
      - memcached
      - --listen={{ .Values.address }}
      - --port=11211
      - --udp-port=0
      - --memory-limit={{ include "memcached.memory" . }}
      - --max-item-size={{ .Values.maxItemSize }}
      - --conn-limit={{ .Values.connections }}
      - --threads={{ .Values.threads }}
      {{- with .Values.options }}
      - --extended={{ join "," . }}
      {{- end }}
    ports:
      - {name: memcached, containerPort: 11211}
    startupProbe:
      {{- include "memcached.probe" (dict "root" $ "is" "ready" "probe" "startup") | nindent 6 }}
    readinessProbe:
      {{- include "memcached.probe" (dict "root" $ "is" "ready" "probe" "readiness") | nindent 6 }}
    livenessProbe:
      {{- include "memcached.probe" (dict "root" $ "is" "alive" "probe" "liveness") | nindent 6 }}
    # Nothing is worth saving. The pause lets the Services forget the member before clients see it gone.
    lifecycle:
      preStop:
        exec: {command: [sleep, {{ .Values.drainSeconds | quote }}]}
    securityContext:
      {{- include "common.container.security" (dict "root" $) | nindent 6 }}
    resources:
      {{- include "memcached.resources" . | nindent 6 }}
  {{- if .Values.metrics.enabled }}
  {{- include "memcached.exporter" . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "memcached.exporter" -}}
- name: exporter
  image: {{ include "common.image" (dict "root" $ "image" "prometheus-memcached-exporter") }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command:
    - /opt/memcached_exporter/memcached_exporter
    - --memcached.address=127.0.0.1:11211
    - --web.listen-address=:{{ .Values.metrics.port }}
  ports:
    - {name: metrics, containerPort: {{ .Values.metrics.port }}}
  # Its own page, not /metrics, which asks the member: the exporter must not be blamed for it.
  startupProbe:
    httpGet: {path: /, port: metrics}
    periodSeconds: 2
    failureThreshold: 30
  readinessProbe:
    httpGet: {path: /, port: metrics}
  livenessProbe:
    httpGet: {path: /, port: metrics}
    failureThreshold: 6
  securityContext:
    {{- include "common.container.security" (dict "root" $) | nindent 4 }}
  resources:
    {{- include "common.resources" (dict "root" $ "component" "exporter") | nindent 4 }}
{{- end -}}
