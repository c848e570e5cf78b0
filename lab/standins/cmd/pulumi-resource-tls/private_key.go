package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // an identifier, as in the official provider
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"

	"coldstorage.local/lab/standins/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"golang.org/x/crypto/ssh"
)

var curves = map[string]elliptic.Curve{
	"P224": elliptic.P224(), "P256": elliptic.P256(), "P384": elliptic.P384(), "P521": elliptic.P521(),
}

func privateKey() provider.Resource {
	return provider.Resource{
		Inputs: map[string]provider.Input{
			"algorithm": {
				Kind: provider.Text, Required: true, OneOf: []string{"RSA", "ECDSA", "ED25519"},
			},
			"ecdsaCurve": {
				Kind: provider.Text, Default: "P224", OneOf: []string{"P224", "P256", "P384", "P521"},
			},
			"rsaBits": {Kind: provider.Integer, Default: 2048.0},
		},
		Outputs: map[string]bool{
			"privateKeyPem": true, "privateKeyPemPkcs8": true, "privateKeyOpenssh": true,
			"publicKeyPem": false, "publicKeyOpenssh": false,
			"publicKeyFingerprintMd5": false, "publicKeyFingerprintSha256": false,
		},
		Make: makePrivateKey,
	}
}

func makePrivateKey(inputs resource.PropertyMap) (string, resource.PropertyMap, error) {
	key, err := generate(inputs)
	if err != nil {
		return "", nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return "", nil, err
	}
	classic, err := classicBlock(key, pkcs8)
	if err != nil {
		return "", nil, err
	}
	outputs := resource.PropertyMap{
		"privateKeyPem":      text(classic),
		"privateKeyPemPkcs8": text(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
		"publicKeyPem":       text(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
	}
	if err := addOpenSSH(outputs, key); err != nil {
		return "", nil, err
	}
	digest := sha1.Sum(public) //nolint:gosec // an identifier
	return hex.EncodeToString(digest[:]), outputs, nil
}

func generate(inputs resource.PropertyMap) (crypto.Signer, error) {
	switch algorithm := inputs["algorithm"].StringValue(); algorithm {
	case "ED25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case "ECDSA":
		return ecdsa.GenerateKey(curves[inputs["ecdsaCurve"].StringValue()], rand.Reader)
	case "RSA":
		return rsa.GenerateKey(rand.Reader, int(inputs["rsaBits"].NumberValue()))
	default:
		return nil, fmt.Errorf("algorithm: expected RSA, ECDSA or ED25519, got %q", algorithm)
	}
}

// classicBlock is the older form of each algorithm; ED25519 never had one.
func classicBlock(key crypto.Signer, pkcs8 []byte) (*pem.Block, error) {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}, nil
	case *ecdsa.PrivateKey:
		der, err := x509.MarshalECPrivateKey(key)
		return &pem.Block{Type: "EC PRIVATE KEY", Bytes: der}, err
	}
	return &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}, nil
}

// addOpenSSH leaves the texts empty for P224, which OpenSSH does not know.
func addOpenSSH(outputs resource.PropertyMap, key crypto.Signer) error {
	for _, name := range []resource.PropertyKey{
		"privateKeyOpenssh", "publicKeyOpenssh",
		"publicKeyFingerprintMd5", "publicKeyFingerprintSha256",
	} {
		outputs[name] = resource.NewStringProperty("")
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return nil //nolint:nilerr // the only cause is P224
	}
	private, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return err
	}
	outputs["privateKeyOpenssh"] = text(private)
	outputs["publicKeyOpenssh"] = resource.NewStringProperty(string(ssh.MarshalAuthorizedKey(public)))
	outputs["publicKeyFingerprintMd5"] = resource.NewStringProperty(ssh.FingerprintLegacyMD5(public))
	outputs["publicKeyFingerprintSha256"] = resource.NewStringProperty(ssh.FingerprintSHA256(public))
	return nil
}

func text(block *pem.Block) resource.PropertyValue {
	return resource.NewStringProperty(string(pem.EncodeToMemory(block)))
}
