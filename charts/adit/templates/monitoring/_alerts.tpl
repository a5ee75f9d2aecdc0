{{/* The groups of alerts/*.yaml, changed as `metrics.prometheusRule` says: (dict "root" $ "settings" …) */}}
{{- define "adit.alertGroups" -}}
{{- $settings := .settings }}
{{- $unknown := deepCopy $settings.rules }}
{{- $groups := list }}
{{- range $path, $_ := .root.Files.Glob "alerts/*.yaml" }}
{{- range $group := ($.root.Files.Get $path | fromYaml).groups }}
{{- $rules := list }}
{{- range $rule := $group.rules }}
{{- $change := default dict (get $settings.rules $rule.alert) }}
{{- $_ := unset $unknown $rule.alert }}
{{- if hasKey $change "threshold" }}
{{- $_ := set $rule "expr" (regexReplaceAll "[0-9.]+$" $rule.expr (toString $change.threshold)) }}
{{- end }}
{{- with $change.for }}{{ $_ := set $rule "for" . }}{{ end }}
{{- with $change.severity }}{{ $_ := set $rule.labels "severity" . }}{{ end }}
{{- $_ := set $rule "labels" (merge $rule.labels (default dict $change.labels)) }}
{{- with $settings.runbookURL }}
{{- $_ := set $rule.annotations "runbook_url" (replace "docs/alerts.md" . $rule.annotations.runbook_url) }}
{{- end }}
{{- if ne (toString $change.enabled) "false" }}{{ $rules = append $rules $rule }}{{ end }}
{{- end }}
{{- if $rules }}{{ $groups = append $groups (dict "name" $group.name "rules" $rules) }}{{ end }}
{{- end }}
{{- end }}
{{- if $unknown }}
{{- fail (printf "metrics.prometheusRule.rules: no alert is called %s" (keys $unknown | sortAlpha | first)) }}
{{- end }}
{{- toYaml $groups }}
{{- end }}
