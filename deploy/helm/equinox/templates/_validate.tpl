{{/* Every check across values. Each message names key, value and remedy. */}}
{{- define "equinox.validate" -}}
{{- include "equinox.validate.image" . -}}
{{- include "equinox.validate.rollout" . -}}
{{- include "equinox.validate.config" . -}}
{{- include "equinox.validate.foreignConfig" . -}}
{{- include "equinox.validate.listeners" . -}}
{{- include "equinox.validate.tls" . -}}
{{- include "equinox.validate.ports" . -}}
{{- include "equinox.validate.servicePorts" . -}}
{{- include "equinox.validate.admin" . -}}
{{- include "equinox.validate.drain" . -}}
{{- include "equinox.validate.probes" . -}}
{{- include "equinox.validate.network" . -}}
{{- include "equinox.validate.scaling" . -}}
{{- include "equinox.validate.metrics" . -}}
{{- end -}}

{{- define "equinox.validate.image" -}}
{{- if and (eq .Values.image.tag "latest") (not .Values.image.digest) (ne .Values.image.pullPolicy "Always") -}}
{{- include "equinox.fail" (list "image.tag" "latest" (printf "with image.pullPolicy %s a node keeps whatever it pulled first" .Values.image.pullPolicy) "name a version in image.tag, set image.digest, or set image.pullPolicy: Always") -}}
{{- end -}}
{{- end -}}

{{- define "equinox.validate.rollout" -}}
{{- $update := .Values.updateStrategy -}}
{{- if and (has (toString $update.maxSurge) (list "0" "0%")) (has (toString $update.maxUnavailable) (list "0" "0%")) -}}
{{- include "equinox.fail" (list "updateStrategy.maxSurge" $update.maxSurge "is zero together with updateStrategy.maxUnavailable, so no pod could ever be replaced" "set one of the two above zero") -}}
{{- end -}}
{{- end -}}

{{- define "equinox.validate.config" -}}
{{- $config := .Values.config -}}
{{- if and $config.existingConfigMap $config.existingSecret -}}
{{- include "equinox.fail" (list "config.existingSecret" $config.existingSecret "config.existingConfigMap is set as well" "keep one of the two") -}}
{{- end -}}
{{- if and $config.inline (or $config.existingConfigMap $config.existingSecret) -}}
{{- include "equinox.fail" (list "config.inline" "(changed)" "config.existingConfigMap or config.existingSecret names another file" "empty config.inline, or empty the existing one") -}}
{{- end -}}
{{- if include "equinox.ownsConfig" . -}}
{{- $parsed := include "equinox.inlineSource" . | fromJson -}}
{{- if hasKey $parsed "Error" -}}
{{- include "equinox.fail" (list "config.inline" "(text)" (printf "is not plain JSON: %s" $parsed.Error) "correct it; comments are allowed only in a file of config.existingConfigMap") -}}
{{- end -}}
{{- range list "ops" "drain" -}}
{{- if hasKey $parsed . -}}
{{- include "equinox.fail" (list "config.inline" (printf "{%q: …}" .) "is written by the chart" (printf "remove it there and use the values under %s" .)) -}}
{{- end -}}
{{- end -}}
{{- if not (kindIs "map" (default (dict) $parsed.admin)) -}}
{{- include "equinox.fail" (list "config.inline" "{\"admin\": …}" "is no object" "give it keys and values") -}}
{{- end -}}
{{- if not (kindIs "slice" (default (list) $parsed.listeners)) -}}
{{- include "equinox.fail" (list "config.inline" "{\"listeners\": …}" "is no list" "give it a list of objects") -}}
{{- end -}}
{{- range $key := list "address" "tokens_file" "tls" "cleartext" -}}
{{- if hasKey (default (dict) $parsed.admin) $key -}}
{{- include "equinox.fail" (list "config.inline" (printf "{\"admin\": {%q: …}}" $key) "is written by the chart" "remove it there and use the values under admin") -}}
{{- end -}}
{{- end -}}
{{- $names := list -}}
{{- range $listener := default (list) $parsed.listeners -}}
{{- if not (kindIs "map" $listener) -}}
{{- include "equinox.fail" (list "config.inline" (printf "{\"listeners\": [%v]}" $listener) "is no object" "give it a name, http or https, and other keys") -}}
{{- end -}}
{{- if not (has $listener.name (list "http" "https")) -}}
{{- include "equinox.fail" (list "config.inline" (printf "{\"listeners\": [{\"name\": %q}]}" (toString $listener.name)) "is no listener of the chart, so no Service port would reach it" "use http or https there, for keys the values do not have") -}}
{{- end -}}
{{- if has $listener.name $names -}}
{{- include "equinox.fail" (list "config.inline" (printf "{\"listeners\": [{\"name\": %q}]}" $listener.name) "is there twice" "join the two") -}}
{{- end -}}
{{- $names = append $names $listener.name -}}
{{- if not (index $.Values.listeners $listener.name).enabled -}}
{{- include "equinox.fail" (list "config.inline" (printf "{\"listeners\": [{\"name\": %q}]}" $listener.name) "is switched off, so its keys would have no effect" (printf "set listeners.%s.enabled, or remove it there" $listener.name)) -}}
{{- end -}}
{{- range $key := list "address" "tls" "h2c" -}}
{{- if hasKey $listener $key -}}
{{- include "equinox.fail" (list "config.inline" (printf "{\"listeners\": [{%q: …}]}" $key) "is written by the chart" "remove it there and use the values under listeners and tls") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $content := list -}}
{{- if .Values.content.existingConfigMap -}}{{- $content = append $content "existingConfigMap" -}}{{- end -}}
{{- if .Values.content.existingClaim -}}{{- $content = append $content "existingClaim" -}}{{- end -}}
{{- if .Values.content.emptyDir -}}{{- $content = append $content "emptyDir" -}}{{- end -}}
{{- if gt (len $content) 1 -}}
{{- include "equinox.fail" (list "content" (join ", " $content) "names more than one source" "keep at most one of existingConfigMap, existingClaim, emptyDir") -}}
{{- end -}}
{{- end -}}

{{/* What only the file can say: beside a file of the user's own such a value would have no effect. */}}
{{- define "equinox.validate.foreignConfig" -}}
{{- if not (include "equinox.ownsConfig" .) -}}
{{- $admin := .Values.admin -}}
{{- $silent := list (list "config.reload" .Values.config.reload "rollout" `"reload": {"config": "watch"}`) (list "tls.minVersion" .Values.tls.minVersion "1.2" `"min_version": "1.3" of the listener's "tls"`) -}}
{{- if $admin.enabled -}}
{{- $silent = append $silent (list "admin.readOnly" $admin.readOnly false `"admin": {"read_only": true}`) -}}
{{- end -}}
{{- range $silent -}}
{{- if ne (toString (index . 1)) (toString (index . 2)) -}}
{{- include "equinox.fail" (list (index . 0) (index . 1) "config.existingConfigMap or config.existingSecret names another file, and only that file can say so" (printf "write %s into it, and leave the value at %v" (index . 3) (index . 2))) -}}
{{- end -}}
{{- end -}}
{{- /* Beyond the loopback the server does not start without tokens; on it, a forgotten tokens_file would leave it open. */ -}}
{{- if and $admin.enabled $admin.existingSecret (ne $admin.bind "pod") -}}
{{- include "equinox.fail" (list "admin.existingSecret" $admin.existingSecret "config.existingConfigMap or config.existingSecret names another file, and only that file can ask for tokens" `write "admin": {"tokens_file": …} into it and mount the tokens with extraVolumes, or set admin.bind: pod`) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "equinox.validate.listeners" -}}
{{- $listeners := .Values.listeners -}}
{{- if not (or $listeners.http.enabled $listeners.https.enabled) -}}
{{- include "equinox.fail" (list "listeners.http.enabled" false "no listener is left" "enable listeners.http or listeners.https") -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not $listeners.http.enabled) -}}
{{- include "equinox.fail" (list "ingress.enabled" true "the Ingress sends cleartext to the http listener, which is off" "enable listeners.http, or pass TLS through with a LoadBalancer Service") -}}
{{- end -}}
{{- end -}}

{{- define "equinox.validate.tls" -}}
{{- $tls := .Values.tls -}}
{{- $manager := $tls.certManager -}}
{{- if and $tls.existingSecret $manager.enabled -}}
{{- include "equinox.fail" (list "tls.existingSecret" $tls.existingSecret "tls.certManager.enabled is true as well" "keep exactly one TLS source") -}}
{{- end -}}
{{- if and .Values.listeners.https.enabled (not (include "equinox.tlsSecret" .)) -}}
{{- include "equinox.fail" (list "listeners.https.enabled" true "there is no certificate" "set tls.existingSecret, or enable tls.certManager") -}}
{{- end -}}
{{- if $manager.enabled -}}
{{- if not $manager.issuerRef.name -}}
{{- include "equinox.fail" (list "tls.certManager.issuerRef" "{}" "names no issuer" "set tls.certManager.issuerRef.name (and kind, if it is a ClusterIssuer)") -}}
{{- end -}}
{{- if not $manager.dnsNames -}}
{{- include "equinox.fail" (list "tls.certManager.dnsNames" "[]" "a certificate needs a name" "list at least one host name") -}}
{{- end -}}
{{- $duration := include "equinox.seconds" $manager.duration | int -}}
{{- $renew := include "equinox.seconds" $manager.renewBefore | int -}}
{{- if ge $renew $duration -}}
{{- include "equinox.fail" (list "tls.certManager.renewBefore" $manager.renewBefore (printf "is not shorter than tls.certManager.duration %s" $manager.duration) "renew before the end: a third of the duration is usual") -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "equinox.validate.ports" -}}
{{- $seen := dict -}}
{{- $ports := list (list "ops.port" .Values.ops.port) -}}
{{- if .Values.listeners.http.enabled -}}{{- $ports = append $ports (list "listeners.http.port" .Values.listeners.http.port) -}}{{- end -}}
{{- if .Values.listeners.https.enabled -}}{{- $ports = append $ports (list "listeners.https.port" .Values.listeners.https.port) -}}{{- end -}}
{{- if .Values.admin.enabled -}}{{- $ports = append $ports (list "admin.port" .Values.admin.port) -}}{{- end -}}
{{- range $ports -}}
{{- $port := toString (int (index . 1)) -}}
{{- if hasKey $seen $port -}}
{{- include "equinox.fail" (list (index . 0) $port (printf "%s has the same port" (get $seen $port)) "give every surface its own port") -}}
{{- end -}}
{{- $_ := set $seen $port (index . 0) -}}
{{- end -}}
{{- end -}}

{{- define "equinox.validate.servicePorts" -}}
{{- $ports := .Values.service.ports -}}
{{- if and .Values.listeners.http.enabled .Values.listeners.https.enabled (eq (int $ports.http) (int $ports.https)) -}}
{{- include "equinox.fail" (list "service.ports.https" $ports.https "service.ports.http has the same port" "give every listener its own port in the Service") -}}
{{- end -}}
{{- end -}}

{{- define "equinox.validate.admin" -}}
{{- $admin := .Values.admin -}}
{{- if and $admin.service.enabled (ne $admin.bind "pod") -}}
{{- include "equinox.fail" (list "admin.service.enabled" true (printf "admin.bind is %s, so the Service would reach nothing" $admin.bind) "set admin.bind: pod and admin.existingSecret, or use kubectl port-forward") -}}
{{- end -}}
{{- if and $admin.enabled (eq $admin.bind "pod") (not $admin.existingSecret) -}}
{{- include "equinox.fail" (list "admin.bind" $admin.bind "would open the admin surface to the cluster without credentials" "set admin.existingSecret to a Secret whose key tokens.json holds lines made by `equinox token`") -}}
{{- end -}}
{{- if and $admin.service.enabled (not $admin.enabled) -}}
{{- include "equinox.fail" (list "admin.service.enabled" true "admin.enabled is false" "enable admin, or turn its Service off") -}}
{{- end -}}
{{- end -}}

{{- define "equinox.validate.drain" -}}
{{- $delay := int .Values.drain.delaySeconds -}}
{{- $timeout := int .Values.drain.timeoutSeconds -}}
{{- $stop := 0 -}}
{{- if eq .Values.lifecycle.preStop "sleep" -}}{{- $stop = int .Values.lifecycle.preStopSeconds -}}{{- end -}}
{{- $needed := add $stop $delay $timeout 5 | int -}}
{{- $sum := printf "preStop %d + drain.delaySeconds %d + drain.timeoutSeconds %d + 5 = %d" $stop $delay $timeout $needed -}}
{{- /* The hook waits out a whole drain; SIGTERM after it skips the delay, and what came meanwhile has the timeout once more. */ -}}
{{- if eq .Values.lifecycle.preStop "exec" -}}
{{- $needed = add $delay $timeout $timeout 5 | int -}}
{{- $sum = printf "preStop exec (drain.delaySeconds %d + drain.timeoutSeconds %d) + drain.timeoutSeconds %d of SIGTERM + 5 = %d" $delay $timeout $timeout $needed -}}
{{- end -}}
{{- $grace := int .Values.terminationGracePeriodSeconds -}}
{{- if lt $grace $needed -}}
{{- include "equinox.fail" (list "terminationGracePeriodSeconds" $grace (printf "%s, so the kubelet would kill a pod that still drains" $sum) (printf "set it to at least %d, or shorten the drain" $needed)) -}}
{{- end -}}
{{- if and (eq .Values.lifecycle.preStop "sleep") (semverCompare "<1.30.0-0" .Capabilities.KubeVersion.Version) -}}
{{- include "equinox.fail" (list "lifecycle.preStop" "sleep" (printf "the native sleep action needs Kubernetes 1.30, this is %s" .Capabilities.KubeVersion.Version) "use none: the server waits drain.delaySeconds by itself") -}}
{{- end -}}
{{- if eq .Values.lifecycle.preStop "exec" -}}
{{- if not .Values.admin.enabled -}}
{{- include "equinox.fail" (list "lifecycle.preStop" "exec" "`equinox drain --wait` speaks to the admin surface, and admin.enabled is false" "enable admin, or use none") -}}
{{- end -}}
{{- if or .Values.admin.existingSecret .Values.admin.readOnly -}}
{{- include "equinox.fail" (list "lifecycle.preStop" "exec" "the admin surface asks for a token or is read-only, and the pod holds only hashes of tokens" "use none: SIGTERM starts the same drain") -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "equinox.validate.probes" -}}
{{- $live := .Values.probes.liveness -}}
{{- $ready := .Values.probes.readiness -}}
{{- if and $live.enabled $ready.enabled -}}
{{- $liveTime := mul (int $live.periodSeconds) (int $live.failureThreshold) | int -}}
{{- $readyTime := mul (int $ready.periodSeconds) (int $ready.failureThreshold) | int -}}
{{- if le $liveTime $readyTime -}}
{{- include "equinox.fail" (list "probes.liveness" (printf "%d s" $liveTime) (printf "a pod would be killed before it is taken out of service (readiness %d s)" $readyTime) "raise probes.liveness.failureThreshold or periodSeconds above readiness") -}}
{{- end -}}
{{- end -}}
{{- range $name, $probe := .Values.probes -}}
{{- if gt (int $probe.timeoutSeconds) (mul 3 (int $probe.periodSeconds) | int) -}}
{{- include "equinox.fail" (list (printf "probes.%s.timeoutSeconds" $name) $probe.timeoutSeconds (printf "is more than three periods of %v s" $probe.periodSeconds) "a probe answers in milliseconds: keep the timeout small") -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "equinox.validate.network" -}}
{{- $service := .Values.service -}}
{{- if and (eq $service.type "ClusterIP") $service.externalTrafficPolicy -}}
{{- include "equinox.fail" (list "service.externalTrafficPolicy" $service.externalTrafficPolicy "a ClusterIP Service has no external traffic" "use service.type LoadBalancer or NodePort, or empty it") -}}
{{- end -}}
{{- if ne $service.type "LoadBalancer" -}}
{{- if $service.loadBalancerClass -}}
{{- include "equinox.fail" (list "service.loadBalancerClass" $service.loadBalancerClass (printf "service.type is %s" $service.type) "set service.type: LoadBalancer, or empty it") -}}
{{- end -}}
{{- if $service.loadBalancerSourceRanges -}}
{{- include "equinox.fail" (list "service.loadBalancerSourceRanges" $service.loadBalancerSourceRanges (printf "service.type is %s, so nothing would be restricted" $service.type) "set service.type: LoadBalancer, or use networkPolicy.traffic.from") -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- include "equinox.fail" (list "ingress.hosts" "[]" "ingress.enabled is true without a host" "list at least one host with its paths") -}}
{{- end -}}
{{- $route := .Values.gateway.httpRoute -}}
{{- if $route.enabled -}}
{{- if not $route.parentRefs -}}
{{- include "equinox.fail" (list "gateway.httpRoute.parentRefs" "[]" "a route without a Gateway carries nothing" "name the Gateway: parentRefs: [{name: …, namespace: …}]") -}}
{{- end -}}
{{- if not .Values.listeners.http.enabled -}}
{{- include "equinox.fail" (list "gateway.httpRoute.enabled" true "the route sends cleartext to the http listener, which is off" "enable listeners.http") -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.topologySpread.preset "custom") (not .Values.topologySpread.constraints) -}}
{{- include "equinox.fail" (list "topologySpread.preset" "custom" "topologySpread.constraints is empty" "list the constraints, or use soft, hard or none") -}}
{{- end -}}
{{- if and (ne .Values.topologySpread.preset "custom") .Values.topologySpread.constraints -}}
{{- include "equinox.fail" (list "topologySpread.constraints" "(set)" (printf "topologySpread.preset is %s, so they would be ignored" .Values.topologySpread.preset) "set topologySpread.preset: custom") -}}
{{- end -}}
{{- end -}}

{{- define "equinox.validate.scaling" -}}
{{- $scale := .Values.autoscaling -}}
{{- if $scale.enabled -}}
{{- if lt (int $scale.maxReplicas) (int $scale.minReplicas) -}}
{{- include "equinox.fail" (list "autoscaling.maxReplicas" $scale.maxReplicas (printf "is below autoscaling.minReplicas %v" $scale.minReplicas) "raise maxReplicas") -}}
{{- end -}}
{{- if not (or $scale.cpu $scale.memory $scale.requestsPerSecond $scale.reactorBusy $scale.extraMetrics) -}}
{{- include "equinox.fail" (list "autoscaling.cpu" 0 "no metric is left to scale on" "set at least one of cpu, memory, requestsPerSecond, reactorBusy, extraMetrics") -}}
{{- end -}}
{{- range $name := list "requestsPerSecond" "reactorBusy" -}}
{{- if and (index $scale $name) (not $.Values.metrics.enabled) -}}
{{- include "equinox.fail" (list (printf "autoscaling.%s" $name) (index $scale $name) "it is scraped, and metrics.enabled is false" (printf "set metrics.enabled: true, or autoscaling.%s: 0" $name)) -}}
{{- end -}}
{{- end -}}
{{- range $name := list "cpu" "memory" -}}
{{- if and (index $scale $name) (not (dig "requests" $name "" $.Values.resources)) -}}
{{- include "equinox.fail" (list (printf "autoscaling.%s" $name) (index $scale $name) (printf "utilisation is a share of resources.requests.%s, which is not set" $name) (printf "set resources.requests.%s, or set autoscaling.%s: 0" $name $name)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $pdb := .Values.podDisruptionBudget -}}
{{- if $pdb.enabled -}}
{{- $max := toString $pdb.maxUnavailable -}}
{{- $min := toString $pdb.minAvailable -}}
{{- if and (ne $max "") (ne $min "") -}}
{{- include "equinox.fail" (list "podDisruptionBudget.minAvailable" $min (printf "podDisruptionBudget.maxUnavailable is %s as well" $max) "keep one of the two and set the other to \"\"") -}}
{{- end -}}
{{- if and (eq $max "") (eq $min "") -}}
{{- include "equinox.fail" (list "podDisruptionBudget.maxUnavailable" "\"\"" "podDisruptionBudget.minAvailable is empty as well" "set one of the two, or podDisruptionBudget.enabled: false") -}}
{{- end -}}
{{- $replicas := include "equinox.minReplicas" . | int -}}
{{- if and (ge $replicas 2) (has $max (list "0" "0%")) -}}
{{- include "equinox.fail" (list "podDisruptionBudget.maxUnavailable" $max "no pod could ever be evicted, so no node could be drained" "set it to 1 or more, or podDisruptionBudget.enabled: false") -}}
{{- end -}}
{{- if and (ge $replicas 2) (ne $min "") (or (eq $min "100%") (and (not (hasSuffix "%" $min)) (ge (int $min) $replicas))) -}}
{{- include "equinox.fail" (list "podDisruptionBudget.minAvailable" $min (printf "is all of the %d replicas, so no node could be drained" $replicas) (printf "set it to %d or less, or use podDisruptionBudget.maxUnavailable: 1" (sub $replicas 1))) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "equinox.validate.metrics" -}}
{{- $metrics := .Values.metrics -}}
{{- $spec := $metrics.monitorSpec -}}
{{- $monitor := include "equinox.monitor" . -}}
{{- if ne $monitor "none" -}}
{{- if .Values.ops.bindLoopback -}}
{{- include "equinox.fail" (list "ops.bindLoopback" true (printf "metrics.monitor %s scrapes the ops port from outside the pod" $metrics.monitor) "set ops.bindLoopback: false, or metrics.monitor: none") -}}
{{- end -}}
{{- if gt (include "equinox.seconds" $spec.scrapeTimeout | int) (include "equinox.seconds" $spec.interval | int) -}}
{{- include "equinox.fail" (list "metrics.monitorSpec.scrapeTimeout" $spec.scrapeTimeout (printf "is longer than metrics.monitorSpec.interval %s" $spec.interval) "keep the timeout at or below the interval") -}}
{{- end -}}
{{- end -}}
{{- $thresholds := .Files.Get "files/rules-thresholds.yaml" | fromYaml -}}
{{- $known := list -}}
{{- range ((.Files.Get "files/rules/equinox.rules.yaml") | fromYaml).groups -}}
{{- range .rules -}}{{- if .alert -}}{{- $known = append $known .alert -}}{{- end -}}{{- end -}}
{{- end -}}
{{- range $metrics.rules.disabled -}}
{{- if not (has . $known) -}}
{{- include "equinox.fail" (list "metrics.rules.disabled" . "is no alert of this chart" (printf "use one of %s" (join ", " $known))) -}}
{{- end -}}
{{- end -}}
{{- if not $metrics.skipApiCheck -}}
{{- if and (has $monitor (list "podMonitor" "serviceMonitor")) (not (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1")) -}}
{{- include "equinox.fail" (list "metrics.monitor" $metrics.monitor "this cluster does not know monitoring.coreos.com/v1" "install the Prometheus operator, use metrics.monitor: annotations, or set metrics.skipApiCheck: true when rendering without a cluster") -}}
{{- end -}}
{{- if and $metrics.enabled $metrics.rules.enabled (not (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1")) -}}
{{- include "equinox.fail" (list "metrics.rules.enabled" true "this cluster does not know monitoring.coreos.com/v1" "install the Prometheus operator, load files/rules yourself, or set metrics.skipApiCheck: true when rendering without a cluster") -}}
{{- end -}}
{{- end -}}
{{- end -}}
