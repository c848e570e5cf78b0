package main

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
)

const legacyPrefix = "proxmox_virtual_environment_"

// tokenStrategy names resources as the Python package does.
func tokenStrategy() tfbridge.Strategy {
	return tfbridge.Strategy{
		Resource: func(tf string, info *tfbridge.ResourceInfo) error {
			module, name, err := moduleAndName(tf)
			info.Tok = tfbridge.MakeResource("proxmoxve", module, name)
			return err
		},
		DataSource: func(tf string, info *tfbridge.DataSourceInfo) error {
			module, name, err := moduleAndName(tf)
			info.Tok = tfbridge.MakeDataSource("proxmoxve", module, "get"+name)
			return err
		},
	}
}

// moduleAndName splits a Terraform name: the last word is the name, those before it the module,
// and the long old prefix becomes the suffix Legacy.
func moduleAndName(tf string) (module, name string, err error) {
	rest, legacy := strings.CutPrefix(tf, legacyPrefix)
	if !legacy {
		var known bool
		if rest, known = strings.CutPrefix(tf, "proxmox_"); !known {
			return "", "", fmt.Errorf("%s: expected a name that starts with proxmox_", tf)
		}
	}
	words := strings.Split(rest, "_")
	last := words[len(words)-1]
	if last == "" {
		return "", "", fmt.Errorf("%s: expected a word after the last underscore", tf)
	}
	module = "index"
	if len(words) > 1 {
		module = strings.Join(words[:len(words)-1], "/")
	}
	name = strings.ToUpper(last[:1]) + last[1:]
	if legacy {
		name += "Legacy"
	}
	return module, name, nil
}
