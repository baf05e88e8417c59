{{- /*
abstract: A configuration file of oslo.config. `sections` is {section: {option: value}}. A list becomes one comma-separated value; {multi: [...]} becomes one line per item, for options that may be given several times; null leaves the option out.
values: {conf: {DEFAULT: {debug: false, hosts: [a, b], gone: null}, database: {max_retries: -1, size: 100000000}, notifications: {driver: {multi: [messagingv2, log]}}}}
usage: {{ include "common.oslo.ini" (dict "sections" .Values.conf) }}
return: "[DEFAULT]\ndebug = false\nhosts = a,b\n\n[database]\nmax_retries = -1\nsize = 100000000\n\n[notifications]\ndriver = messagingv2\ndriver = log\n"
*/ -}}
{{- define "common.oslo.ini" -}}
{{- $blocks := list -}}
{{- range $section, $options := .sections -}}
{{- $lines := list -}}
{{- range $option, $value := $options -}}
{{- range $item := ternary (get (ternary $value dict (kindIs "map" $value)) "multi") (list $value) (kindIs "map" $value) -}}
{{- if not (kindIs "invalid" $item) -}}
{{- $lines = append $lines (printf "%s = %s" $option (include "common.oslo.value" (dict "value" $item))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $lines -}}
{{- $blocks = append $blocks (printf "[%s]\n%s\n" $section (join "\n" $lines)) -}}
{{- end -}}
{{- end -}}
{{- join "\n" $blocks -}}
{{- end -}}

{{- /*
abstract: One value as oslo.config reads it. Whole numbers stay whole; further lines of a text are continuation lines.
values: {}
usage: {{ include "common.oslo.value" (dict "value" (list "amqp=WARN" 3 true)) }}
return: amqp=WARN,3,true
*/ -}}
{{- define "common.oslo.value" -}}
{{- if kindIs "slice" .value -}}
{{- $items := list -}}
{{- range .value }}{{ $items = append $items (include "common.oslo.value" (dict "value" .)) }}{{ end -}}
{{- join "," $items -}}
{{- else if and (kindIs "float64" .value) (eq (floor .value) .value) -}}
{{- printf "%.0f" .value -}}
{{- else -}}
{{- toString .value | replace "\n" "\n    " -}}
{{- end -}}
{{- end -}}

{{- /*
abstract: One environment variable from a Secret, as a list item.
values: {}
usage: {{ include "common.env.secret" (dict "name" "ADMIN_PASSWORD" "secret" "demo-admin" "key" "password") }}
return: [{name: ADMIN_PASSWORD, valueFrom: {secretKeyRef: {name: demo-admin, key: password}}}]
*/ -}}
{{- define "common.env.secret" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end -}}

{{- /*
abstract: Environment that gives oslo.db its connection, from a mysql binding. Kubernetes puts the password into the URL, so neither file nor manifest holds it. `timeout` bounds the wait for an answer in seconds: without it, a connection to a host that died is noticed after a quarter of an hour. `secret` names the instance's own Secret where the binding names none; `option` is another option that holds the URL; `authority` is the file that an encrypted provider's certificate is held against, as is its name.
values: {binding: {host: db.data.svc, port: 3306, database: demo, username: demo, secretName: ""}}
usage: {{ include "common.oslo.database" (dict "root" $ "binding" .Values.binding "secret" "database" "timeout" 60) }}
return:
  - {name: DATABASE_PASSWORD, valueFrom: {secretKeyRef: {name: demo-database, key: password}}}
  - {name: OS_DATABASE__CONNECTION, value: "mysql+pymysql://demo:$(DATABASE_PASSWORD)@db.data.svc:3306/demo?charset=utf8mb4&connect_timeout=10&read_timeout=60&write_timeout=60"}
*/ -}}
{{- define "common.oslo.database" -}}
{{- $tls := "" -}}
{{- if (.binding | default dict).tls }}{{ $tls = printf "&ssl_ca=%s" (required "`authority` must name a file: the database is encrypted" .authority) }}{{ end -}}
{{- $timeouts := ternary (printf "&read_timeout=%v&write_timeout=%v" .timeout .timeout) "" (not (empty .timeout)) -}}
{{- with .binding -}}
{{- $secret := .secretName | default (include "common.names.name" (dict "root" $.root "suffix" $.secret)) -}}
{{ include "common.env.secret" (dict "name" "DATABASE_PASSWORD" "secret" $secret "key" "password") }}
- name: {{ $.option | default "OS_DATABASE__CONNECTION" }}
  value: {{ printf "mysql+pymysql://%s:$(DATABASE_PASSWORD)@%s:%v/%s?charset=utf8mb4&connect_timeout=10%s%s" .username .host .port .database $timeouts $tls | quote }}
{{- end -}}
{{- end -}}

{{- /*
abstract: Environment that gives oslo.messaging its transport, from an amqp binding: every member is named, so that a client finds the next one when its own is lost. `secret` names the instance's own Secret where the binding names none; `option` is another option that holds the URL.
values: {binding: {host: mq.data.svc, port: 5672, members: [mq-0.mqm.data.svc, mq-1.mqm.data.svc], vhost: demo, username: demo, secretName: ""}}
usage: {{ include "common.oslo.messaging" (dict "root" $ "binding" .Values.binding "secret" "messaging") }}
return:
  - {name: MESSAGING_PASSWORD, valueFrom: {secretKeyRef: {name: demo-messaging, key: password}}}
  - {name: OS_DEFAULT__TRANSPORT_URL, value: "rabbit://demo:$(MESSAGING_PASSWORD)@mq-0.mqm.data.svc:5672,demo:$(MESSAGING_PASSWORD)@mq-1.mqm.data.svc:5672/demo"}
*/ -}}
{{- define "common.oslo.messaging" -}}
{{- with .binding -}}
{{- $secret := .secretName | default (include "common.names.name" (dict "root" $.root "suffix" $.secret)) -}}
{{- $hosts := list -}}
{{- range (.members | default (list .host)) }}{{ $hosts = append $hosts (printf "%s:$(MESSAGING_PASSWORD)@%s:%v" $.binding.username . $.binding.port) }}{{ end -}}
{{ include "common.env.secret" (dict "name" "MESSAGING_PASSWORD" "secret" $secret "key" "password") }}
- name: {{ $.option | default "OS_DEFAULT__TRANSPORT_URL" }}
  value: {{ printf "rabbit://%s/%s" (join "," $hosts) .vhost | quote }}
{{- end -}}
{{- end -}}

{{- /*
abstract: Addresses for oslo.cache from a memcached binding, comma-separated: every member, since clients spread keys over them.
values: {binding: {host: mc.data.svc, port: 11211, members: [mc-0.mcm.data.svc, mc-1.mcm.data.svc]}}
usage: {{ include "common.oslo.cache" (dict "binding" .Values.binding) }}
return: mc-0.mcm.data.svc:11211,mc-1.mcm.data.svc:11211
*/ -}}
{{- define "common.oslo.cache" -}}
{{- with .binding -}}
{{- $servers := list -}}
{{- range (.members | default (list .host)) }}{{ $servers = append $servers (printf "%s:%v" . $.binding.port) }}{{ end -}}
{{- join "," $servers -}}
{{- end -}}
{{- end -}}

{{- /*
abstract: Nothing, or a failure with a suggestion: rules between options that no check of single options finds. `sections` as for common.oslo.ini.
values: {conf: {oslo_messaging_rabbit: {rabbit_stream_fanout: true, rabbit_qos_prefetch_count: 10}}}
usage: {{ include "common.oslo.rules" (dict "sections" .Values.conf) }}
return: ""
*/ -}}
{{- define "common.oslo.rules" -}}
{{- $rabbit := .sections.oslo_messaging_rabbit | default dict -}}
{{- if and $rabbit.rabbit_stream_fanout (le (int $rabbit.rabbit_qos_prefetch_count) 0) -}}
{{- fail "`[oslo_messaging_rabbit] rabbit_qos_prefetch_count` must be above 0 where `rabbit_stream_fanout` is true, but is not: every process that receives would fail at its start. Set it to 10." -}}
{{- end -}}
{{- end -}}
