{{/* How a scraper finds the pods, after the one switch above it. */}}
{{- define "equinox.monitor" -}}
{{- ternary .Values.metrics.monitor "none" .Values.metrics.enabled -}}
{{- end -}}

{{/* Metadata of an object that belongs to the monitoring stack. Call with (list $ labels namespace suffix). */}}
{{- define "equinox.monitorMeta" -}}
{{- $root := index . 0 -}}
name: {{ include "equinox.fullname" $root }}{{ index . 3 }}
namespace: {{ default (include "equinox.namespace" $root) (index . 2) }}
labels:
  {{- merge (include "equinox.labels" $root | fromYaml) (index . 1) | toYaml | nindent 2 }}
{{- include "equinox.annotations" (list $root dict 0) }}
{{- end -}}

{{/* The common part of a PodMonitor and a ServiceMonitor. */}}
{{- define "equinox.monitorSpec" -}}
{{- $spec := .Values.metrics.monitorSpec -}}
jobLabel: app.kubernetes.io/name
{{- if $spec.sampleLimit }}
sampleLimit: {{ int $spec.sampleLimit }}
{{- end }}
scrapeProtocols:
  {{- if eq .Values.metrics.exposition "openmetrics" }}
  - OpenMetricsText1.0.0
  {{- end }}
  - PrometheusText0.0.4
namespaceSelector:
  matchNames:
    - {{ include "equinox.namespace" . }}
{{- end -}}

{{- define "equinox.monitorEndpoint" -}}
{{- $spec := .Values.metrics.monitorSpec -}}
- port: ops
  path: /metrics
  interval: {{ $spec.interval }}
  scrapeTimeout: {{ $spec.scrapeTimeout }}
  {{- with $spec.relabelings }}
  relabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $spec.metricRelabelings }}
  metricRelabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
