// Package cloud is a Pulumi provider that a schema alone describes. It keeps no state: the records
// are in the lab's cloud, which it asks over HTTPS. It calls itself a stand-in in every run, and
// talks to nothing outside of private networks.
package cloud

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Property is one input or output.
type Property struct {
	Type             string
	Required         bool
	Secret           bool
	Enum             []string
	OptionalComputed bool
	// WillReplaceOnChanges is what Pulumi's schema says of a change.
	WillReplaceOnChanges bool
	// UpstreamRequiresReplace is true, "ifConfigured" or "conditional".
	UpstreamRequiresReplace any
}

// Resource is one type of resource, or a function without outputs of its own.
type Resource struct {
	Token            string
	Inputs           map[string]Property
	Outputs          map[string]Property
	ConfigValidators []string
}

// Schema is what a provider takes and gives.
type Schema struct {
	Package   string
	Version   string
	Provider  map[string]Property
	Resources map[string]Resource
	Functions map[string]Resource
	Types     map[string]map[string]Property

	resources, functions map[string]string // names by token
}

// Parse reads a schema.
func Parse(document []byte) (*Schema, error) {
	s := &Schema{resources: map[string]string{}, functions: map[string]string{}}
	if err := json.Unmarshal(document, s); err != nil {
		return nil, fmt.Errorf("the schema cannot be read: %w", err)
	}
	for name, resource := range s.Resources {
		s.resources[resource.Token] = name
	}
	for name, function := range s.Functions {
		s.functions[function.Token] = name
	}
	return s, nil
}

// element returns what an array or a map holds.
func element(kind, of string) (string, bool) {
	inner, is := strings.CutPrefix(kind, of+"<")
	return strings.TrimSuffix(inner, ">"), is
}

// fields returns the properties of an object type.
func (s *Schema) fields(kind string) (map[string]Property, bool) {
	name, is := strings.CutPrefix(kind, "ref:")
	if !is {
		return nil, false
	}
	fields, known := s.Types[s.Package+":index/"+name]
	return fields, known
}

// replaces tells whether a change of the property makes another resource. A condition that only
// the provider's code knows counts as met: to say too much here warns, too little would lose data.
func (p Property) replaces(configured bool) bool {
	switch p.UpstreamRequiresReplace {
	case true, "conditional":
		return true
	case "ifConfigured":
		return configured
	}
	return p.WillReplaceOnChanges
}

var exactlyOne = regexp.MustCompile(`^Exactly one of these attributes must be configured: \[(.*)\]$`)

// choices returns the sets of inputs of which exactly one must be given.
func (r Resource) choices() [][]string {
	var sets [][]string
	for _, rule := range r.ConfigValidators {
		if found := exactlyOne.FindStringSubmatch(rule); found != nil {
			var names []string
			for name := range strings.SplitSeq(found[1], ",") {
				names = append(names, camel(name))
			}
			sets = append(sets, names)
		}
	}
	return sets
}

func camel(snake string) string {
	words := strings.Split(snake, "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}
