package main

import (
	"crypto/rand"
	"fmt"
	"math/big"

	"coldstorage.local/lab/standins/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"golang.org/x/crypto/bcrypt"
)

// class is a set of characters, the inputs that switch it on and set its minimum.
type class struct{ enable, minimum, characters string }

var classes = []class{
	{"lower", "minLower", "abcdefghijklmnopqrstuvwxyz"},
	{"upper", "minUpper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
	{"numeric", "minNumeric", "0123456789"},
	{"special", "minSpecial", "!@#$%&*()-_=+[]{}<>:?"},
}

func password() provider.Resource {
	inputs := map[string]provider.Input{
		"length":          {Kind: provider.Integer, Required: true},
		"overrideSpecial": {Kind: provider.Text},
		"keepers":         {Kind: provider.TextMap},
	}
	for _, c := range classes {
		inputs[c.enable] = provider.Input{Kind: provider.Boolean, Default: true}
		inputs[c.minimum] = provider.Input{Kind: provider.Integer, Default: 0.0}
	}
	return provider.Resource{
		Inputs:   inputs,
		Outputs:  map[string]bool{"result": true, "bcryptHash": true},
		Validate: wrongPassword,
		Make:     makePassword,
	}
}

// allowed returns the characters of a class, none when it is switched off.
func (c class) allowed(inputs resource.PropertyMap) string {
	if !inputs[resource.PropertyKey(c.enable)].BoolValue() {
		return ""
	}
	// An empty text counts as absent, as in the official provider.
	if own := inputs["overrideSpecial"]; c.enable == "special" && own.IsString() &&
		own.StringValue() != "" {
		return own.StringValue()
	}
	return c.characters
}

func (c class) atLeast(inputs resource.PropertyMap) int {
	return int(inputs[resource.PropertyKey(c.minimum)].NumberValue())
}

func wrongPassword(inputs resource.PropertyMap) map[string]string {
	wrong := map[string]string{}
	length, needed, all := int(inputs["length"].NumberValue()), 0, ""
	for _, c := range classes {
		all += c.allowed(inputs)
		needed += c.atLeast(inputs)
		if c.atLeast(inputs) < 0 {
			wrong[c.minimum] = "must not be negative"
		} else if c.atLeast(inputs) > 0 && c.allowed(inputs) == "" {
			wrong[c.minimum] = c.enable + " is switched off"
		}
	}
	if all == "" {
		wrong["length"] = "every class of characters is switched off"
	} else if length < 1 || length < needed {
		wrong["length"] = fmt.Sprintf("must be at least %d, got %d", max(1, needed), length)
	}
	return wrong
}

func makePassword(inputs resource.PropertyMap) (string, resource.PropertyMap, error) {
	var result []byte
	all := ""
	for _, c := range classes {
		all += c.allowed(inputs)
		result = append(result, pick(c.allowed(inputs), c.atLeast(inputs))...)
	}
	result = append(result, pick(all, int(inputs["length"].NumberValue())-len(result))...)
	shuffle(result)

	// bcrypt reads 72 bytes at most; the official provider cuts there too.
	hash, err := bcrypt.GenerateFromPassword(result[:min(len(result), 72)], bcrypt.DefaultCost)
	if err != nil {
		return "", nil, err
	}
	// The id is never secret in Pulumi, so it must tell nothing.
	return "none", resource.PropertyMap{
		"result":     resource.NewStringProperty(string(result)),
		"bcryptHash": resource.NewStringProperty(string(hash)),
	}, nil
}

func pick(from string, count int) []byte {
	picked := make([]byte, 0, max(count, 0))
	for range count {
		picked = append(picked, from[below(len(from))])
	}
	return picked
}

// shuffle hides which characters were there for a minimum.
func shuffle(text []byte) {
	for i := len(text) - 1; i > 0; i-- {
		j := below(i + 1)
		text[i], text[j] = text[j], text[i]
	}
}

func below(limit int) int {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(limit)))
	if err != nil { // crypto/rand ends the process itself when there is no randomness
		panic(err)
	}
	return int(n.Int64())
}
