// Package codegen satisfies the imports of the Terraform bridge, which links the code generator
// for .NET into every provider. Its module cannot be had from the Go module proxy, and a running
// provider never generates .NET.
package codegen

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
)

// CSharpPackageInfo has the fields that the bridge writes into a schema.
type CSharpPackageInfo struct {
	Compatibility                string
	PackageReferences            map[string]string
	Namespaces                   map[string]string
	RootNamespace                string
	DictionaryConstructors       bool
	ProjectReferences            []string
	LiftSingleValueMethodReturns bool
	RespectSchemaVersion         bool
}

// CSharpPropertyInfo names a property for .NET.
type CSharpPropertyInfo struct{ Name string }

// CSharpResourceInfo names a resource for .NET.
type CSharpResourceInfo struct{ Name string }

// GenerateProgram always refuses.
func GenerateProgram(*pcl.Program) (map[string][]byte, hcl.Diagnostics, error) {
	return nil, nil, errors.New("this build of the provider cannot generate .NET")
}
