{{/* Name of the application: part of the frozen selector labels. */}}
{{- define "equinox.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of every object of this release. */}}
{{- define "equinox.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "equinox.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "equinox.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{/* The selector of a Deployment is immutable: nothing may ever be added here. */}}
{{- define "equinox.selectorLabels" -}}
app.kubernetes.io/name: {{ include "equinox.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "equinox.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "equinox.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: server
app.kubernetes.io/part-of: {{ include "equinox.name" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Annotations of one object: the common ones under its own. Call with (list $ ownMap indent). */}}
{{- define "equinox.annotations" -}}
{{- $root := index . 0 -}}
{{- $all := merge (dict) (index . 1) $root.Values.commonAnnotations -}}
{{- if $all -}}
{{- dict "annotations" $all | toYaml | nindent (int (index . 2)) -}}
{{- end -}}
{{- end -}}

{{/* Image reference: a digest wins over a tag, an empty tag means the chart's appVersion. */}}
{{- define "equinox.image" -}}
{{- $image := .Values.image -}}
{{- $name := $image.repository -}}
{{- if $image.registry -}}{{- $name = printf "%s/%s" $image.registry $image.repository -}}{{- end -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "equinox.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "equinox.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The smallest number of replicas that is wanted at any time. */}}
{{- define "equinox.minReplicas" -}}
{{- if .Values.autoscaling.enabled -}}{{- .Values.autoscaling.minReplicas -}}{{- else -}}{{- .Values.replicaCount -}}{{- end -}}
{{- end -}}

{{/* Secret that holds tls.crt and tls.key; empty without TLS. */}}
{{- define "equinox.tlsSecret" -}}
{{- if .Values.tls.existingSecret -}}
{{- .Values.tls.existingSecret -}}
{{- else if .Values.tls.certManager.enabled -}}
{{- printf "%s-tls" (include "equinox.fullname" .) -}}
{{- end -}}
{{- end -}}

{{/* Bind address for a port: dual stack only where the Service says so, because a node may run without IPv6. */}}
{{- define "equinox.bind" -}}
{{- $root := index . 0 -}}
{{- $service := $root.Values.service -}}
{{- if or (has "IPv6" $service.ipFamilies) (hasSuffix "DualStack" $service.ipFamilyPolicy) -}}
{{- printf ":%d" (int (index . 1)) -}}
{{- else -}}
{{- printf "0.0.0.0:%d" (int (index . 1)) -}}
{{- end -}}
{{- end -}}

{{- define "equinox.opsAddress" -}}
{{- if .Values.ops.bindLoopback -}}
{{- printf "127.0.0.1:%d" (int .Values.ops.port) -}}
{{- else -}}
{{- include "equinox.bind" (list . .Values.ops.port) -}}
{{- end -}}
{{- end -}}

{{- define "equinox.adminAddress" -}}
{{- if eq .Values.admin.bind "pod" -}}
{{- include "equinox.bind" (list . .Values.admin.port) -}}
{{- else -}}
{{- printf "127.0.0.1:%d" (int .Values.admin.port) -}}
{{- end -}}
{{- end -}}

{{/* The inline configuration as written by the user, or the default. */}}
{{- define "equinox.inlineSource" -}}
{{- if .Values.config.inline -}}
{{- .Values.config.inline -}}
{{- else -}}
{{- .Files.Get "files/config/default.json" -}}
{{- end -}}
{{- end -}}

{{/* One listener: the user's further keys under what the chart decides. Call with (list $ name chartKeys). */}}
{{- define "equinox.listener" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $result := dict -}}
{{- range (index . 3) -}}
{{- if eq .name $name -}}{{- $result = . -}}{{- end -}}
{{- end -}}
{{- merge (dict "name" $name) (index . 2) $result | toJson -}}
{{- end -}}

{{- define "equinox.adminServiceName" -}}
{{- include "equinox.fullname" . | trunc 57 | trimSuffix "-" -}}-admin
{{- end -}}

{{/* Names under which the admin Service is asked for: anything else in Host is refused (DNS rebinding). */}}
{{- define "equinox.adminHosts" -}}
{{- $service := include "equinox.adminServiceName" . -}}
{{- $namespace := include "equinox.namespace" . -}}
- {{ $service }}
- {{ $service }}.{{ $namespace }}
- {{ $service }}.{{ $namespace }}.svc
- {{ $service }}.{{ $namespace }}.svc.cluster.local
{{- end -}}

{{/* The file the server reads: the user's JSON with listeners, ops, admin and drain from the values. */}}
{{- define "equinox.config" -}}
{{- $config := include "equinox.inlineSource" . | fromJson -}}
{{- $own := default (list) $config.listeners -}}
{{- $listeners := list -}}
{{- if .Values.listeners.http.enabled -}}
{{- $http := dict "address" (include "equinox.bind" (list . .Values.listeners.http.port)) "h2c" .Values.listeners.http.h2c -}}
{{- $listeners = append $listeners (include "equinox.listener" (list . "http" $http $own) | fromJson) -}}
{{- end -}}
{{- $certificates := list (dict "name" "main" "certificate" "/etc/equinox/tls/tls.crt" "key" "/etc/equinox/tls/tls.key") -}}
{{- $tls := dict "certificates" $certificates "min_version" .Values.tls.minVersion -}}
{{- if .Values.listeners.https.enabled -}}
{{- $https := dict "address" (include "equinox.bind" (list . .Values.listeners.https.port)) "tls" $tls -}}
{{- $listeners = append $listeners (include "equinox.listener" (list . "https" $https $own) | fromJson) -}}
{{- end -}}
{{- $admin := dict -}}
{{- if .Values.admin.enabled -}}
{{- $_ := set $admin "address" (include "equinox.adminAddress" .) -}}
{{- if .Values.admin.existingSecret -}}{{- $_ := set $admin "tokens_file" "/etc/equinox/admin/tokens.json" -}}{{- end -}}
{{- if .Values.admin.readOnly -}}{{- $_ := set $admin "read_only" true -}}{{- end -}}
{{- if eq .Values.admin.bind "pod" -}}
{{- if include "equinox.tlsSecret" . -}}{{- $_ := set $admin "tls" $tls -}}{{- else -}}{{- $_ := set $admin "cleartext" true -}}{{- end -}}
{{- end -}}
{{- if .Values.admin.service.enabled -}}
{{- $own := default (list) (dig "admin" "hosts" (list) $config) -}}
{{- $_ := set $admin "hosts" (concat (include "equinox.adminHosts" . | fromYamlArray) $own | uniq) -}}
{{- end -}}
{{- $admin = merge $admin (default (dict) $config.admin) -}}
{{- else -}}
{{- $_ := set $admin "address" "off" -}}
{{- end -}}
{{- $drain := dict "delay" (printf "%ds" (int .Values.drain.delaySeconds)) "timeout" (printf "%ds" (int .Values.drain.timeoutSeconds)) -}}
{{- $chart := dict "listeners" $listeners "ops" (dict "address" (include "equinox.opsAddress" .)) "admin" $admin "drain" $drain -}}
{{- if and (include "equinox.hasContent" .) (not (hasKey $config "routes")) -}}
{{- $site := dict "path" "/*" "static" (dict "root" "/srv/www" "index" (list "index.html")) -}}
{{- $_ := set $chart "routes" (list (dict "path" "/api/status" "status" (dict)) $site) -}}
{{- end -}}
{{- if eq .Values.config.reload "watch" -}}
{{- $_ := set $chart "reload" (dict "config" "watch") -}}
{{- end -}}
{{- merge $chart (omit $config "listeners" "admin") | toPrettyJson -}}
{{- end -}}

{{- define "equinox.hasContent" -}}
{{- if or .Values.content.existingConfigMap .Values.content.existingClaim .Values.content.emptyDir -}}true{{- end -}}
{{- end -}}

{{/* True when the chart writes the configuration itself. */}}
{{- define "equinox.ownsConfig" -}}
{{- if not (or .Values.config.existingConfigMap .Values.config.existingSecret) -}}true{{- end -}}
{{- end -}}

{{/* Flags for a configuration file the chart did not write: a flag wins over the file. */}}
{{- define "equinox.flags" -}}
{{- if not (include "equinox.ownsConfig" .) }}
- --ops={{ include "equinox.opsAddress" . }}
- --admin={{ if .Values.admin.enabled }}{{ include "equinox.adminAddress" . }}{{ else }}off{{ end }}
- --drain-delay={{ int .Values.drain.delaySeconds }}s
- --drain-timeout={{ int .Values.drain.timeoutSeconds }}s
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* One probe. Call with (list $ "readiness" "/readyz"). */}}
{{- define "equinox.probe" -}}
{{- $root := index . 0 -}}
{{- $probe := index $root.Values.probes (index . 1) -}}
{{- if $root.Values.ops.bindLoopback }}
exec:
  command: ["/usr/bin/equinox", "probe", {{ printf "http://127.0.0.1:%d%s" (int $root.Values.ops.port) (index . 2) | quote }}]
{{- else }}
httpGet:
  path: {{ index . 2 }}
  port: ops
{{- end }}
periodSeconds: {{ $probe.periodSeconds }}
timeoutSeconds: {{ $probe.timeoutSeconds }}
failureThreshold: {{ $probe.failureThreshold }}
{{- end -}}

{{/* Duration "720h", "90m", "1h30m" in seconds. */}}
{{- define "equinox.seconds" -}}
{{- $total := 0 -}}
{{- range regexFindAll "[0-9]+(ms|h|m|s|d)" (toString .) -1 -}}
{{- $number := regexFind "^[0-9]+" . | int -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- $factor := get (dict "d" 86400 "h" 3600 "m" 60 "s" 1 "ms" 0) $unit -}}
{{- $total = add $total (mul $number $factor) -}}
{{- end -}}
{{- $total -}}
{{- end -}}

{{/* Fails with one shape of message: key, value, what is wrong, remedy. Call with (list key value problem remedy). */}}
{{- define "equinox.fail" -}}
{{- fail (printf "\n%s = %v: %s\n  remedy: %s" (index . 0) (index . 1) (index . 2) (index . 3)) -}}
{{- end -}}
