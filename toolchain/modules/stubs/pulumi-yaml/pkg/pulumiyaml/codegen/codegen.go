// Package codegen satisfies the imports of the Terraform bridge, which links the code generator
// for YAML into every provider. Its module cannot be had from the Go module proxy, and a running
// provider never generates YAML.
package codegen

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
)

// GenerateProgram always refuses.
func GenerateProgram(*pcl.Program) (map[string][]byte, hcl.Diagnostics, error) {
	return nil, nil, errors.New("this build of the provider cannot generate YAML")
}
