{{- define "adit-connector.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- define "adit-connector.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "adit-connector.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "adit-connector.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- define "adit-connector.selector" -}}
app.kubernetes.io/name: {{ include "adit-connector.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}
{{- define "adit-connector.labels" -}}
{{ include "adit-connector.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: adit
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- define "adit-connector.image" -}}
{{- $registry := default .image.registry .root.Values.global.imageRegistry }}
{{- if $registry }}{{ trimSuffix "/" $registry }}/{{ end }}{{ .image.repository }}{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ default .root.Chart.AppVersion .image.tag }}{{ end }}
{{- end }}
{{- define "adit-connector.imagePullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ if kindIs "map" . }}{{ .name }}{{ else }}{{ . }}{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- define "adit-connector.podSecurityContext" -}}
{{- if . }}
{{- toYaml . }}
{{- else -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}
{{- end }}
{{- define "adit-connector.securityContext" -}}
{{- if . }}
{{- toYaml . }}
{{- else -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}
{{- end }}
{{- define "adit-connector.placement" -}}
{{- if .values.affinity }}
affinity:
  {{- toYaml .values.affinity | nindent 2 }}
{{- else }}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "adit-connector.selector" . | nindent 14 }}
{{- end }}
topologySpreadConstraints:
{{- if .values.topologySpreadConstraints }}
  {{- toYaml .values.topologySpreadConstraints | nindent 2 }}
{{- else }}
{{- $selector := include "adit-connector.selector" . }}
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- $selector | nindent 8 }}
{{- end }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}
{{- define "adit-connector.scanAnnotations" -}}
kube-score/ignore: container-image-pull-policy
checkov.io/skip1: CKV_K8S_15=A tag of a release does not change, and a digest may be given
checkov.io/skip2: CKV_K8S_43=image.digest may be given
{{- end }}
{{- define "adit-connector.podLabels" -}}
{{ include "adit-connector.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: adit
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "adit-connector.serviceAccount" -}}
{{- default (ternary (include "adit-connector.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{/* Of the connector: its configuration file. `settings` is beneath what has a value of its own. */}}
{{- define "adit-connector.config" -}}
{{- $config := deepCopy .Values.settings }}
{{- $_ := set $config "name" (default (include "adit-connector.fullname" .) .Values.connectorName) }}
{{- $_ := set $config "services" .Values.services }}
{{- with .Values.probes }}{{ $_ := set $config "probes" . }}{{ end }}
{{- with .Values.gateway.addresses }}{{ $_ := set $config "gateways" . }}{{ end }}
{{- $_ := set $config "tokenFile" "/run/adit/connector/token" }}
{{- if not .Values.gateway.systemRoots }}{{ $_ := set $config "caFile" "/run/adit/connector/ca.crt" }}{{ end }}
{{- $_ := set $config "links" (int .Values.links) }}
{{- $_ := set $config "maxGateways" (int .Values.maxGateways) }}
{{- $_ := set $config "transport" .Values.transport }}
{{- with .Values.proxy.url }}{{ $_ := set $config "proxy" . }}{{ end }}
{{- if .Values.proxy.existingSecret }}{{ $_ := set $config "proxyCredentialsFile" (printf "/run/adit/proxy/%s" .Values.proxy.key) }}{{ end }}
{{- $_ := set $config "drainTime" (printf "%ds" (int .Values.drainTimeSeconds)) }}
{{- $_ := set $config "admin" ":9091" }}
{{- $_ := set $config "logLevel" .Values.logLevel }}
{{- toYaml $config }}
{{- end }}
