{{- /*
abstract: A Deployment around a pod template (text made by common.pod.template). A rollout adds a pod before it takes one away, and a new pod must stay ready for a while before the next.
values: {}
usage: {{ include "common.deployment" (dict "root" $ "component" "api" "replicas" 3 "template" "spec: {containers: [{name: api}]}") }}
return:
  apiVersion: apps/v1
  kind: Deployment
  metadata: {name: demo-api, namespace: openstack, labels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: api, app.kubernetes.io/version: "2026.1", app.kubernetes.io/part-of: openstack, app.kubernetes.io/managed-by: Helm}}
  spec:
    replicas: 3
    minReadySeconds: 5
    progressDeadlineSeconds: 900
    revisionHistoryLimit: 3
    strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
    selector: {matchLabels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: api}}
    template: {spec: {containers: [{name: api}]}}
*/ -}}
{{- define "common.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "common.metadata" (pick . "root" "component") | nindent 2 }}
spec:
  replicas: {{ include "common.replicas" . }}
  minReadySeconds: 5
  progressDeadlineSeconds: 900
  revisionHistoryLimit: 3
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  selector:
    matchLabels:
      {{- include "common.labels.selector" . | nindent 6 }}
  template:
    {{- .template | nindent 4 }}
{{- end -}}

{{- /*
abstract: A StatefulSet of members that wait for one another inside their start, so that all of them are started at once. Each has a volume `data`, which is kept when the member or the whole instance goes; `storage` is {size, className?}.
values: {}
usage: {{ include "common.statefulset" (dict "root" $ "component" "server" "replicas" 3 "storage" (dict "size" "8Gi" "className" "fast") "template" "spec: {containers: [{name: server}]}") }}
return:
  apiVersion: apps/v1
  kind: StatefulSet
  metadata: {name: demo-server, namespace: openstack, labels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: server, app.kubernetes.io/version: "2026.1", app.kubernetes.io/part-of: openstack, app.kubernetes.io/managed-by: Helm}}
  spec:
    replicas: 3
    serviceName: demo-server-members
    podManagementPolicy: Parallel
    minReadySeconds: 10
    updateStrategy: {type: RollingUpdate}
    persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Retain}
    selector: {matchLabels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: server}}
    template: {spec: {containers: [{name: server}]}}
    volumeClaimTemplates:
      - apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: {name: data}
        spec: {accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 8Gi}}, volumeMode: Filesystem}
*/ -}}
{{- define "common.statefulset" -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  {{- include "common.metadata" (pick . "root" "component") | nindent 2 }}
spec:
  replicas: {{ .replicas }}
  serviceName: {{ include "common.names.name" (dict "root" .root "suffix" (printf "%s-members" .component)) }}
  podManagementPolicy: Parallel
  minReadySeconds: 10
  updateStrategy:
    type: RollingUpdate
  persistentVolumeClaimRetentionPolicy:
    whenDeleted: Retain
    whenScaled: Retain
  selector:
    matchLabels:
      {{- include "common.labels.selector" . | nindent 6 }}
  template:
    {{- .template | nindent 4 }}
  volumeClaimTemplates:
    - apiVersion: v1
      kind: PersistentVolumeClaim
      metadata:
        name: data
      spec:
        {{- include "common.volume.claim" .storage | nindent 8 }}
{{- end -}}

{{- /*
abstract: The inside of a claim for a volume that one pod writes. It takes {size, className?} and nothing else; without a class it is the cluster's default.
values: {}
usage: {{ include "common.volume.claim" (dict "size" "8Gi" "className" "") }}
return: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Gi}}, volumeMode: Filesystem}
*/ -}}
{{- define "common.volume.claim" -}}
accessModes: [ReadWriteOnce]
{{- with .className }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests:
    storage: {{ .size }}
volumeMode: Filesystem
{{- end -}}

{{- /*
abstract: A CronJob around a pod template. Runs never overlap; a run that was missed is made up for within an hour.
values: {jobs: {backoffLimit: 10, activeDeadlineSeconds: 3600}}
usage: {{ include "common.cronjob" (dict "root" $ "component" "tidy" "schedule" "0 3 * * *" "template" "spec: {containers: [{name: tidy}]}") }}
return:
  apiVersion: batch/v1
  kind: CronJob
  metadata: {name: demo-tidy, namespace: openstack, labels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: tidy, app.kubernetes.io/version: "2026.1", app.kubernetes.io/part-of: openstack, app.kubernetes.io/managed-by: Helm}}
  spec:
    schedule: 0 3 * * *
    concurrencyPolicy: Forbid
    startingDeadlineSeconds: 3600
    successfulJobsHistoryLimit: 1
    failedJobsHistoryLimit: 3
    jobTemplate: {spec: {backoffLimit: 10, activeDeadlineSeconds: 3600, template: {spec: {containers: [{name: tidy}], restartPolicy: OnFailure}}}}
*/ -}}
{{- define "common.cronjob" -}}
{{- $jobs := .root.Values.jobs | default dict -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  {{- include "common.metadata" (pick . "root" "component") | nindent 2 }}
spec:
  schedule: {{ .schedule | quote }}
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 3600
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      backoffLimit: {{ dig "backoffLimit" 10 $jobs }}
      activeDeadlineSeconds: {{ dig "activeDeadlineSeconds" 3600 $jobs }}
      template:
        {{- include "common.job.template" (dict "component" .component "template" .template) | nindent 8 }}
{{- end -}}

{{- /*
abstract: The claim of the component `backup`, which outlives everything: Helm, Argo CD and Flux leave it.
values: {}
usage: {{ include "common.backup.claim" (dict "root" $ "storage" (dict "size" "8Gi")) }}
return:
  apiVersion: v1
  kind: PersistentVolumeClaim
  metadata: {name: demo-backup, namespace: openstack, labels: {app.kubernetes.io/name: example, app.kubernetes.io/instance: demo, app.kubernetes.io/component: backup, app.kubernetes.io/version: "2026.1", app.kubernetes.io/part-of: openstack, app.kubernetes.io/managed-by: Helm}, annotations: {helm.sh/resource-policy: keep, argocd.argoproj.io/sync-options: "Prune=false,Delete=false", kustomize.toolkit.fluxcd.io/prune: disabled}}
  spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Gi}}, volumeMode: Filesystem}
*/ -}}
{{- define "common.backup.claim" -}}
{{- $keep := dict "helm.sh/resource-policy" "keep" "argocd.argoproj.io/sync-options" "Prune=false,Delete=false" "kustomize.toolkit.fluxcd.io/prune" "disabled" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  {{- include "common.metadata" (dict "root" .root "component" "backup" "annotations" $keep) | nindent 2 }}
spec:
  {{- include "common.volume.claim" .storage | nindent 2 }}
{{- end -}}
