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

{{/* One container of the smoke test: a probe that asks again while names and routes settle. Call with (list $ name arguments). */}}
{{- define "equinox.smoke" -}}
{{- $root := index . 0 -}}
- name: {{ index . 1 }}
  image: {{ include "equinox.image" $root }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  args: {{ concat (list "probe" "--wait" "30") (index . 2) | toJson }}
  {{- with $root.Values.securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  resources:
    requests:
      cpu: 10m
      memory: 16Mi
    limits:
      memory: 64Mi
{{- end -}}
