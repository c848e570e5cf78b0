package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"coldstorage.local/lab/kubernetes_plugin/internal/cluster"
	"coldstorage.local/lab/kubernetes_plugin/internal/objects"
)

// settings are the provider's configuration, as far as the stand-in covers it.
type settings struct {
	kubeconfig, context, cluster, namespace string

	deleteUnreachable, skipUpdateUnreachable bool
	patchForce, upsert                       bool
	suppressDeprecation, suppressHooks       bool
	mutable                                  objects.Mutable
	client                                   clientSettings
}

// clientSettings say how fast the cluster may be asked; the defaults are the official ones.
type clientSettings struct {
	Burst   int     `json:"burst"`
	QPS     float32 `json:"qps"`
	Timeout int     `json:"timeout"`
}

// options has every key that the official provider takes, with the variable that stands in for it
// where the program says nothing.
var options = map[string]string{
	"alwaysRender":                "",
	"cluster":                     "",
	"clusterIdentifier":           "",
	"context":                     "",
	"deleteUnreachable":           "PULUMI_K8S_DELETE_UNREACHABLE",
	"enableConfigMapMutable":      "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
	"enablePatchForce":            "PULUMI_K8S_ENABLE_PATCH_FORCE",
	"enableSecretMutable":         "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
	"enableServerSideApply":       "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY",
	"helmReleaseSettings":         "",
	"kubeClientSettings":          "",
	"kubeconfig":                  "",
	"namespace":                   "",
	"renderYamlToDirectory":       "",
	"skipUpdateUnreachable":       "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
	"suppressDeprecationWarnings": "PULUMI_K8S_SUPPRESS_DEPRECATION_WARNINGS",
	"suppressHelmHookWarnings":    "PULUMI_K8S_SUPPRESS_HELM_HOOK_WARNINGS",
	"upsertExistingObjects":       "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
}

// notCovered has the keys whose work this stand-in does not do, but for the values that ask for
// nothing.
var notCovered = map[string][]string{
	"alwaysRender":          {"", "false"},
	"enableServerSideApply": {"", "true"},
	"helmReleaseSettings":   {""},
	"renderYamlToDirectory": {""},
}

// refused returns the reason for each key that is wrong.
func refused(given map[string]string) map[string]string {
	wrong := map[string]string{}
	for key, value := range given {
		_, known := options[key]
		harmless, hard := notCovered[key]
		switch {
		case !known:
			wrong[key] = "the provider has no such setting; it has " +
				strings.Join(slices.Sorted(maps.Keys(options)), ", ")
		case hard && !slices.Contains(harmless, value):
			wrong[key] = "STAND-IN: not covered by the project's own kubernetes plugin, " +
				"only by Pulumi's"
		case strings.HasPrefix(options[key], "PULUMI_"):
			if _, err := strconv.ParseBool(value); err != nil && value != "" {
				wrong[key] = "must be true or false"
			}
		}
	}
	if _, err := parsedClient(given["kubeClientSettings"]); err != nil {
		wrong["kubeClientSettings"] = "must have burst, qps and timeout as numbers"
	}
	return wrong
}

func parsedClient(text string) (clientSettings, error) {
	client := clientSettings{Burst: 120, QPS: 50, Timeout: 32}
	if text == "" {
		return client, nil
	}
	return client, json.Unmarshal([]byte(text), &client)
}

// parsed returns the settings; every key was found right before.
func parsed(given map[string]string) (settings, error) {
	if wrong := refused(given); len(wrong) > 0 {
		key := slices.Min(slices.Collect(maps.Keys(wrong)))
		return settings{}, fmt.Errorf("kubernetes:%s: %s", key, wrong[key])
	}
	yes := func(key string) bool {
		value, set := given[key]
		if !set {
			value = os.Getenv(options[key])
		}
		parsed, _ := strconv.ParseBool(value)
		return parsed
	}
	client, err := parsedClient(given["kubeClientSettings"])
	return settings{
		kubeconfig:            given["kubeconfig"],
		context:               given["context"],
		cluster:               given["cluster"],
		namespace:             given["namespace"],
		deleteUnreachable:     yes("deleteUnreachable"),
		skipUpdateUnreachable: yes("skipUpdateUnreachable"),
		patchForce:            yes("enablePatchForce"),
		upsert:                yes("upsertExistingObjects"),
		suppressDeprecation:   yes("suppressDeprecationWarnings"),
		suppressHooks:         yes("suppressHelmHookWarnings"),
		mutable: objects.Mutable{
			ConfigMaps: yes("enableConfigMapMutable"), Secrets: yes("enableSecretMutable"),
		},
		client: client,
	}, err
}

func (s settings) connection(warn func(string)) cluster.Settings {
	return cluster.Settings{
		Kubeconfig: s.kubeconfig, Context: s.context, Cluster: s.cluster,
		Namespace: s.namespace,
		QPS:       s.client.QPS, Burst: s.client.Burst,
		Timeout: time.Duration(s.client.Timeout) * time.Second,
		Warn:    warn,
	}
}
