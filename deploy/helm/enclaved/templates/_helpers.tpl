{{- define "enclaved.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "enclaved.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "enclaved.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "enclaved.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "enclaved.selector" -}}
app.kubernetes.io/name: {{ include "enclaved.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The pods of the node, and not that of the test. */}}
{{- define "enclaved.nodes" -}}
{{ include "enclaved.selector" . }}
app.kubernetes.io/component: node
{{- end }}

{{/* Labels of every object; component as the second element of a list: (list . "node") */}}
{{- define "enclaved.labels" -}}
{{- $root := index . 0 -}}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{ include "enclaved.selector" $root }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/part-of: enclaved
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- end }}

{{- define "enclaved.image" -}}
{{- $registry := .Values.global.imageRegistry -}}
{{- $name := ternary (printf "%s/%s" $registry .Values.image.repository) .Values.image.repository (ne $registry "") -}}
{{- if .Values.image.digest -}}
{{ $name }}@{{ .Values.image.digest }}
{{- else -}}
{{ $name }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{- define "enclaved.serviceAccount" -}}
{{- $made := include "enclaved.fullname" . -}}
{{- default (ternary $made "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{/* Name of the secret with the node key; empty: the key lives in the volume. */}}
{{- define "enclaved.keySecret" -}}
{{- if .Values.nodeKey.existingSecret -}}
{{ .Values.nodeKey.existingSecret }}
{{- else if .Values.nodeKey.value -}}
{{ include "enclaved.fullname" . }}-key
{{- end }}
{{- end }}

{{- define "enclaved.tlsSecret" -}}
{{- default (printf "%s-tls" (include "enclaved.fullname" .)) .Values.tls.existingSecret }}
{{- end }}

{{/* The configuration file: the user's keys and those that the chart sets. */}}
{{- define "enclaved.config" -}}
{{- $data := printf "/var/lib/enclaved/%s" .Values.persistence.subdirectory -}}
{{- $own := dict "data" $data "listen" "0.0.0.0:8080" "admin" "0.0.0.0:9464"
    "drain_timeout_ms" (mul 1000 .Values.drainSeconds) -}}
{{- if include "enclaved.keySecret" . -}}
{{- $own = set $own "key_file" "/etc/enclaved/key/node.key" -}}
{{- end -}}
{{- if .Values.tls.enabled -}}
{{- $own = set $own "tls" (dict "listen" "0.0.0.0:8443" "certificate" "/etc/enclaved/tls/tls.crt"
    "key" "/etc/enclaved/tls/tls.key") -}}
{{- end -}}
{{ mustMergeOverwrite (deepCopy .Values.config) $own | toYaml }}
{{- end }}

{{/* Values that fit the schema and are wrong together. */}}
{{- define "enclaved.validate" -}}
{{- if gt (int .Values.replicaCount) 1 -}}
{{- fail "replicaCount: one store has one sequencer; two would sign two histories of the same enclaves. Use 1 (or 0), and a release of its own for each further node." -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.maxReplicas) 1) -}}
{{- fail "autoscaling.maxReplicas: one store has one sequencer; it cannot be more than 1." -}}
{{- end -}}
{{- if and .Values.nodeKey.existingSecret .Values.nodeKey.value -}}
{{- fail "nodeKey: give existingSecret or value, not both." -}}
{{- end -}}
{{- $pair := and .Values.tls.certificate .Values.tls.privateKey -}}
{{- if and .Values.tls.enabled (not .Values.tls.existingSecret) (not $pair) -}}
{{- fail "tls: needs existingSecret, or certificate and privateKey." -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- fail "ingress.hosts: at least one host name." -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.parentRefs: at least one gateway." -}}
{{- end -}}
{{- end }}

{{- define "enclaved.probe" -}}
{{- $probe := index . 0 -}}
{{ mergeOverwrite (dict "httpGet" (dict "path" (index . 1) "port" "admin")) $probe | toYaml }}
{{- end }}
