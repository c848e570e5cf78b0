package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"math/big"

	"coldstorage.local/lab/standins/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

func randomBytes() provider.Resource {
	return provider.Resource{
		Inputs: map[string]provider.Input{
			"length":  {Kind: provider.Integer, Required: true},
			"keepers": {Kind: provider.TextMap},
		},
		Outputs:  map[string]bool{"base64": true, "hex": true},
		Validate: atLeastOne("length"),
		Make: func(inputs resource.PropertyMap) (string, resource.PropertyMap, error) {
			raw := draw(inputs["length"])
			return "none", resource.PropertyMap{
				"base64": resource.NewStringProperty(base64.StdEncoding.EncodeToString(raw)),
				"hex":    resource.NewStringProperty(hex.EncodeToString(raw)),
			}, nil
		},
	}
}

func randomID() provider.Resource {
	return provider.Resource{
		Inputs: map[string]provider.Input{
			"byteLength": {Kind: provider.Integer, Required: true},
			"prefix":     {Kind: provider.Text},
			"keepers":    {Kind: provider.TextMap},
		},
		Outputs:  map[string]bool{"b64Std": false, "b64Url": false, "dec": false, "hex": false},
		Validate: atLeastOne("byteLength"),
		Make: func(inputs resource.PropertyMap) (string, resource.PropertyMap, error) {
			raw, prefix := draw(inputs["byteLength"]), ""
			if inputs["prefix"].IsString() {
				prefix = inputs["prefix"].StringValue()
			}
			text := func(s string) resource.PropertyValue { return resource.NewStringProperty(prefix + s) }
			return base64.RawURLEncoding.EncodeToString(raw), resource.PropertyMap{
				"b64Std": text(base64.StdEncoding.EncodeToString(raw)),
				"b64Url": text(base64.RawURLEncoding.EncodeToString(raw)),
				"dec":    text(new(big.Int).SetBytes(raw).String()),
				"hex":    text(hex.EncodeToString(raw)),
			}, nil
		},
	}
}

func draw(length resource.PropertyValue) []byte {
	raw := make([]byte, int(length.NumberValue()))
	_, _ = rand.Read(raw) // never fails: it ends the process instead
	return raw
}

func atLeastOne(name resource.PropertyKey) func(resource.PropertyMap) map[string]string {
	return func(inputs resource.PropertyMap) map[string]string {
		if inputs[name].NumberValue() < 1 {
			return map[string]string{string(name): "must be at least 1"}
		}
		return nil
	}
}
