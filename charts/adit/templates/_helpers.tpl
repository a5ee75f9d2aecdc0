{{/* Names of objects: RELEASE-adit, or RELEASE if it says adit already. */}}
{{- define "adit.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- define "adit.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "adit.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "adit.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Of what has no namespace: two releases of one name in two namespaces are two. */}}
{{- define "adit.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "adit.fullname" .) }}
{{- end }}

{{/* (dict "root" $ "component" "gateway") */}}
{{- define "adit.selector" -}}
app.kubernetes.io/name: {{ include "adit.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}
{{- define "adit.labels" -}}
{{ include "adit.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: adit
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* (dict "root" $ "image" .Values.gateway.image) */}}
{{- define "adit.image" -}}
{{- $registry := default .image.registry .root.Values.global.imageRegistry }}
{{- if $registry }}{{ trimSuffix "/" $registry }}/{{ end }}{{ .image.repository }}{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ default .root.Chart.AppVersion .image.tag }}{{ end }}
{{- end }}
{{- define "adit.imagePullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ if kindIs "map" . }}{{ .name }}{{ else }}{{ . }}{{ end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "adit.gateway.serviceAccount" -}}
{{- default (ternary (printf "%s-gateway" (include "adit.fullname" .)) "default" .Values.gateway.serviceAccount.create) .Values.gateway.serviceAccount.name }}
{{- end }}
{{- define "adit.operator.serviceAccount" -}}
{{- default (ternary (printf "%s-operator" (include "adit.fullname" .)) "default" .Values.operator.serviceAccount.create) .Values.operator.serviceAccount.name }}
{{- end }}

{{/* How gateways show who they are: ServiceAccount or Secret. */}}
{{- define "adit.gatewayToken.mode" -}}
{{- if eq .Values.gatewayToken.mode "auto" }}
{{- ternary "Secret" "ServiceAccount" (gt (len .Values.watchNamespaces) 0) }}
{{- else }}
{{- .Values.gatewayToken.mode }}
{{- end }}
{{- end }}
{{- define "adit.gatewayToken.secret" -}}
{{- default (printf "%s-gateway-token" (include "adit.fullname" .)) .Values.gatewayToken.existingSecret }}
{{- end }}
{{- define "adit.audience" -}}
adit.dev/{{ .Release.Namespace }}
{{- end }}

{{/* What connectors dial, and its host. */}}
{{- define "adit.links.service" -}}
{{ include "adit.fullname" . }}-{{ ternary "links" "gateway" .Values.gateway.linkService.enabled }}
{{- end }}
{{- define "adit.links.port" -}}
{{ ternary .Values.gateway.linkService.port .Values.gateway.service.ports.link .Values.gateway.linkService.enabled }}
{{- end }}
{{- define "adit.links.address" -}}
{{- default (printf "%s.%s.svc:%s" (include "adit.links.service" .) .Release.Namespace (include "adit.links.port" .)) .Values.links.address }}
{{- end }}
{{- define "adit.links.host" -}}
{{- include "adit.links.address" . | regexFind "^(\\[[^]]*\\]|[^:]*)" | trimPrefix "[" | trimSuffix "]" }}
{{- end }}

{{/* What restricted Pod Security asks for. */}}
{{- define "adit.podSecurityContext" -}}
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
{{- define "adit.securityContext" -}}
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

{{/* Where pods go: (dict "root" $ "component" "gateway" "values" .Values.gateway) */}}
{{- define "adit.placement" -}}
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
              {{- include "adit.selector" . | nindent 14 }}
{{- end }}
topologySpreadConstraints:
{{- if .values.topologySpreadConstraints }}
  {{- toYaml .values.topologySpreadConstraints | nindent 2 }}
{{- else }}
{{- $selector := include "adit.selector" . }}
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

{{/* The pods' scan annotations: what kube-score and checkov would want otherwise, and why it is not so. */}}
{{- define "adit.scanAnnotations" -}}
kube-score/ignore: container-image-pull-policy
checkov.io/skip1: CKV_K8S_15=A tag of a release does not change, and a digest may be given
checkov.io/skip2: CKV_K8S_43=image.digest may be given
{{- end }}

{{/* Of pods: no version of the chart, so that a chart that changes nothing in them restarts none. */}}
{{- define "adit.podLabels" -}}
{{ include "adit.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: adit
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What the operator does in the namespaces that it watches; docs/kubernetes.md, "Rights", says why. */}}
{{- define "adit.operator.watchRules" -}}
- apiGroups: [adit.dev]
  resources: [tunnels]
  verbs: [get, list, watch]
- apiGroups: [adit.dev]
  resources: [tunnels/status]
  verbs: [patch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses/status]
  verbs: [patch]
{{- if not .Values.watchNamespaces }}
- apiGroups: [networking.k8s.io]
  resources: [ingressclasses]
  verbs: [get, list, watch]
{{- end }}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, {{ if .Values.rbac.watchSecrets }}list, watch, {{ end }}create, patch]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- if and (eq (include "adit.gatewayToken.mode" .) "ServiceAccount") (not .Values.watchNamespaces) }}
- apiGroups: [authentication.k8s.io]
  resources: [tokenreviews]
  verbs: [create]
{{- end }}
{{- end }}
