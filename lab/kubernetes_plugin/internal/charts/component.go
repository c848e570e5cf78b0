package charts

import (
	"bytes"
	"context"
	"fmt"

	"coldstorage.local/lab/kubernetes_plugin/internal/cluster"
	"coldstorage.local/lab/kubernetes_plugin/internal/objects"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	rpc "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Kind is one kind of component: it turns its inputs into objects.
type Kind func(*arguments, *construction) ([]*unstructured.Unstructured, error)

// Kinds has the components by their type tokens.
var Kinds = map[string]Kind{
	"kubernetes:helm.sh/v4:Chart":    chartObjects,
	"kubernetes:yaml/v2:ConfigFile":  fileObjects,
	"kubernetes:yaml/v2:ConfigGroup": groupObjects,
}

// construction is what a component is made with.
type construction struct {
	context   context.Context
	cluster   *cluster.Cluster
	name      string
	namespace string
	warn      func(format string, values ...any)
}

// component is what the program gets: the resources that were made.
type component struct {
	pulumi.ResourceState

	Resources pulumi.ArrayOutput `pulumi:"resources"`
}

// Construct returns a function that registers the component and its children.
func (kind Kind) Construct(
	inputs resource.PropertyMap, c *cluster.Cluster, version string,
) rpc.ConstructFunc {
	return func(
		ctx *pulumi.Context, token, name string, _ rpc.ConstructInputs, options pulumi.ResourceOption,
	) (*rpc.ConstructResult, error) {
		made := &component{}
		if err := ctx.RegisterComponentResource(token, name, made, options); err != nil {
			return nil, err
		}
		warn := func(format string, values ...any) {
			_ = ctx.Log.Warn(fmt.Sprintf(format, values...), &pulumi.LogArgs{Resource: made})
		}
		if inputs.ContainsUnknowns() {
			warn("some inputs are not known yet: the preview lacks what they make")
			return rpc.NewConstructResult(made)
		}
		given := &arguments{values: inputs}
		work := &construction{ctx.Context(), c, name, c.Namespace, warn}
		list, err := kind(given, work)
		if err != nil {
			return nil, err
		}
		if err := placed(list, work.namespace, c); err != nil {
			return nil, err
		}
		children, err := bundle{
			objects: list, component: made, prefix: given.prefix(name), version: version,
			skipAwait: given.yes("skipAwait"), secrets: given.secrets(),
		}.registered(ctx)
		if err != nil {
			return nil, err
		}
		made.Resources = children.ToArrayOutput()
		return rpc.NewConstructResult(made)
	}
}

func fileObjects(given *arguments, _ *construction) ([]*unstructured.Unstructured, error) {
	name := given.text("file")
	if err := given.only("file", "resourcePrefix", "skipAwait"); err != nil {
		return nil, err
	}
	text, err := files([]string{name}, false)
	if err != nil {
		return nil, err
	}
	return parsed(text)
}

func groupObjects(given *arguments, _ *construction) ([]*unstructured.Unstructured, error) {
	names, text := given.texts("files"), given.text("yaml")
	objs := given.list("objs")
	if err := given.only("files", "yaml", "objs", "resourcePrefix", "skipAwait"); err != nil {
		return nil, err
	}
	read, err := files(names, true)
	if err != nil {
		return nil, err
	}
	list, err := parsed(bytes.Join([][]byte{read, []byte(text)}, []byte("\n---\n")))
	if err != nil {
		return nil, err
	}
	for _, value := range objs {
		for value.IsSecret() {
			value = value.SecretValue().Element
		}
		if !value.IsObject() {
			return nil, fmt.Errorf("objs: must be objects")
		}
		object, _ := objects.Object(value.ObjectValue())
		list = append(list, expanded(object)...)
	}
	return list, nil
}

func chartObjects(given *arguments, work *construction) ([]*unstructured.Unstructured, error) {
	chart := Chart{
		Name: given.text("name"), Namespace: given.text("namespace"),
		Chart: given.text("chart"), Version: given.text("version"),
		SkipCRDs: given.yes("skipCrds"), PlainHTTP: given.yes("plainHttp"),
		Devel:  given.yes("devel"),
		Values: given.merged(),
	}
	if chart.Name == "" {
		chart.Name = work.name
	}
	if chart.Namespace == "" {
		chart.Namespace = work.namespace
	}
	if options := given.take("repositoryOpts"); options.IsObject() {
		of := &arguments{values: options.ObjectValue()}
		chart.Repository = Repository{
			Address: of.text("repo"), Username: of.text("username"), Password: of.text("password"),
		}
		given.wrong = append(given.wrong, of.only("repo", "username", "password"))
	}
	given.refuse("dependencyUpdate", "includeHooks", "keyring", "postRenderer", "verify")
	if err := given.only("name", "namespace", "chart", "version", "skipCrds", "plainHttp", "devel",
		"values", "valueYamlFiles", "repositoryOpts", "resourcePrefix", "skipAwait"); err != nil {
		return nil, err
	}
	work.namespace = chart.Namespace
	made, err := chart.rendered(work.context, work.cluster)
	if err != nil {
		return nil, err
	}
	if made.Chart.Metadata.Deprecated {
		work.warn("the chart %s is deprecated", made.Chart.Name())
	}
	if left := hooks(made); left != "" {
		work.warn("the chart's hooks are left out, as Pulumi's own plugin does: %s", left)
	}
	return parsed([]byte(made.Manifest))
}
