{{/* Mounts of the server's container; directories only, so that the kubelet's swap of ..data is seen. */}}
{{- define "equinox.mounts" -}}
- name: config
  mountPath: /etc/equinox/config
  readOnly: true
{{- if include "equinox.tlsSecret" . }}
- name: tls
  mountPath: /etc/equinox/tls
  readOnly: true
{{- end }}
{{- if and .Values.admin.enabled .Values.admin.existingSecret }}
- name: admin
  mountPath: /etc/equinox/admin
  readOnly: true
{{- end }}
{{- if include "equinox.hasContent" . }}
- name: content
  mountPath: /srv/www
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Topology spread: pods of one revision over zones and hosts. */}}
{{- define "equinox.spread" -}}
{{- $preset := .Values.topologySpread.preset -}}
{{- if eq $preset "custom" }}
topologySpreadConstraints:
  {{- toYaml .Values.topologySpread.constraints | nindent 2 }}
{{- else if ne $preset "none" }}
topologySpreadConstraints:
  {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ ternary "DoNotSchedule" "ScheduleAnyway" (eq $preset "hard") }}
    labelSelector:
      matchLabels:
        {{- include "equinox.selectorLabels" $ | nindent 8 }}
    matchLabelKeys:
      - pod-template-hash
  {{- end }}
{{- end }}
{{- end -}}
