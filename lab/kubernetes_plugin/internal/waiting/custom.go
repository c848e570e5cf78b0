package waiting

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"coldstorage.local/lab/kubernetes_plugin/internal/cluster"
	"coldstorage.local/lab/kubernetes_plugin/internal/objects"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/jsonpath"
)

// customLook reads the annotation that says what to wait for: one expression or a JSON list.
func customLook(annotation string) (look, error) {
	var expressions []string
	if json.Unmarshal([]byte(annotation), &expressions) != nil {
		expressions = []string{annotation}
	}
	tests := make([]test, 0, len(expressions))
	for _, expression := range expressions {
		test, err := parsed(expression)
		if err != nil {
			return nil, fmt.Errorf("annotation %s: %w", objects.WaitFor, err)
		}
		tests = append(tests, test)
	}
	return func(
		_ context.Context, _ *cluster.Cluster, live *unstructured.Unstructured,
	) (verdict, error) {
		for i, holds := range tests {
			if !holds(live) {
				return missing("waiting for %s", expressions[i]), nil
			}
		}
		return ready, nil
	}, nil
}

type test func(live *unstructured.Unstructured) bool

func parsed(expression string) (test, error) {
	if rest, found := strings.CutPrefix(expression, "condition="); found {
		kind, wanted, given := strings.Cut(rest, "=")
		if !given {
			wanted = "True"
		}
		return func(live *unstructured.Unstructured) bool {
			for _, condition := range conditions(live) {
				if strings.EqualFold(condition.kind, kind) {
					return strings.EqualFold(condition.status, wanted)
				}
			}
			return false
		}, nil
	}
	if rest, found := strings.CutPrefix(expression, "jsonpath="); found {
		return parsedPath(rest)
	}
	return nil, fmt.Errorf("%q must begin with jsonpath= or condition=", expression)
}

// parsedPath takes {.path} for "is there" and {.path}=value for "is this".
func parsedPath(expression string) (test, error) {
	end := strings.LastIndex(expression, "}")
	path, wanted := expression[:end+1], strings.TrimPrefix(expression[end+1:], "=")
	parser := jsonpath.New("waitFor")
	if err := parser.Parse(path); err != nil || path == "" {
		return nil, fmt.Errorf("%q must be {.path} or {.path}=value", expression)
	}
	return func(live *unstructured.Unstructured) bool {
		var found bytes.Buffer
		if parser.Execute(&found, live.Object) != nil {
			return false
		}
		return wanted == "" || found.String() == wanted
	}, nil
}
