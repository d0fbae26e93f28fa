// Command psscheck evaluates every pod in rendered manifests with the upstream Pod Security evaluator, level
// restricted, and decodes every known object strictly: a misspelt or mistyped field is an error.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	sigsyaml "sigs.k8s.io/yaml"
)

// decoders has one constructor for each built-in kind the project renders.
var decoders = map[string]func() any{
	"apps/v1/Deployment":                     func() any { return &appsv1.Deployment{} },
	"v1/Pod":                                 func() any { return &corev1.Pod{} },
	"v1/ConfigMap":                           func() any { return &corev1.ConfigMap{} },
	"v1/Secret":                              func() any { return &corev1.Secret{} },
	"v1/Service":                             func() any { return &corev1.Service{} },
	"v1/ServiceAccount":                      func() any { return &corev1.ServiceAccount{} },
	"v1/Namespace":                           func() any { return &corev1.Namespace{} },
	"networking.k8s.io/v1/Ingress":           func() any { return &networkingv1.Ingress{} },
	"networking.k8s.io/v1/NetworkPolicy":     func() any { return &networkingv1.NetworkPolicy{} },
	"policy/v1/PodDisruptionBudget":          func() any { return &policyv1.PodDisruptionBudget{} },
	"autoscaling/v2/HorizontalPodAutoscaler": func() any { return &autoscalingv2.HorizontalPodAutoscaler{} },
}

func podOf(object any) (*metav1.ObjectMeta, *corev1.PodSpec) {
	switch typed := object.(type) {
	case *appsv1.Deployment:
		return &typed.Spec.Template.ObjectMeta, &typed.Spec.Template.Spec
	case *corev1.Pod:
		return &typed.ObjectMeta, &typed.Spec
	}
	return nil, nil
}

// checkDocument returns what is wrong with one YAML document and whether it held a pod.
func checkDocument(evaluator policy.Evaluator, document []byte) (problems []string, pod bool, err error) {
	var kind metav1.TypeMeta
	if err := sigsyaml.Unmarshal(document, &kind); err != nil {
		return nil, false, err
	}
	construct, known := decoders[kind.APIVersion+"/"+kind.Kind]
	if !known {
		return nil, false, nil
	}
	object := construct()
	if err := sigsyaml.UnmarshalStrict(document, object); err != nil {
		return []string{fmt.Sprintf("%s: %v", kind.Kind, err)}, false, nil
	}
	meta, spec := podOf(object)
	if spec == nil {
		return nil, false, nil
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, result := range evaluator.EvaluatePod(restricted, meta, spec) {
		if !result.Allowed {
			problems = append(problems, fmt.Sprintf("%s: restricted: %s: %s", kind.Kind, result.ForbiddenReason, result.ForbiddenDetail))
		}
	}
	return problems, true, nil
}

func checkFile(evaluator policy.Evaluator, name string) (problems []string, pods int, err error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, 0, err
	}
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return problems, pods, nil
		}
		if err != nil {
			return nil, 0, err
		}
		if strings.TrimSpace(string(document)) == "" {
			continue
		}
		found, pod, err := checkDocument(evaluator, document)
		if err != nil {
			return nil, 0, err
		}
		problems = append(problems, found...)
		if pod {
			pods++
		}
	}
}

func main() {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	failed, total := false, 0
	for _, name := range os.Args[1:] {
		problems, pods, err := checkFile(evaluator, name)
		if err != nil {
			problems = append(problems, err.Error())
		}
		total += pods
		for _, problem := range problems {
			fmt.Printf("%s: %s\n", name, problem)
			failed = true
		}
	}
	if total == 0 {
		fmt.Println("no pod was found")
		failed = true
	}
	if failed {
		os.Exit(1)
	}
}
