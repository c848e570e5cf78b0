package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"net/url"
	"time"

	"coldstorage.local/lab/standins/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// What a certificate and a request for one have in common.
var named = map[string]provider.Input{
	"subject":     {Kind: provider.TextMap},
	"dnsNames":    {Kind: provider.TextList},
	"ipAddresses": {Kind: provider.TextList},
	"uris":        {Kind: provider.TextList},
}

// What the issuer of a certificate decides. Early renewal is kept and never acted upon: the
// certificates of a lab are younger than that.
var issued = map[string]provider.Input{
	"allowedUses":         {Kind: provider.TextList, Required: true},
	"validityPeriodHours": {Kind: provider.Integer, Required: true},
	"earlyRenewalHours":   {Kind: provider.Integer, Default: 0.0},
	"isCaCertificate":     {Kind: provider.Boolean, Default: false},
	"setSubjectKeyId":     {Kind: provider.Boolean, Default: false},
}

var certificate = map[string]bool{
	"certPem": false, "keyAlgorithm": false, "readyForRenewal": false,
	"validityStartTime": false, "validityEndTime": false,
}

func certRequest() provider.Resource {
	return provider.Resource{
		Inputs:  merged(named, map[string]provider.Input{"privateKeyPem": {Kind: provider.Text, Required: true}}),
		Outputs: map[string]bool{"certRequestPem": false, "keyAlgorithm": false},
		Make: func(inputs resource.PropertyMap) (string, resource.PropertyMap, error) {
			key, err := privateKeyOf(inputs["privateKeyPem"].StringValue())
			if err != nil {
				return "", nil, err
			}
			wanted, err := templateOf(inputs)
			if err != nil {
				return "", nil, err
			}
			der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
				Subject: wanted.Subject, DNSNames: wanted.DNSNames,
				IPAddresses: wanted.IPAddresses, URIs: wanted.URIs,
			}, key)
			if err != nil {
				return "", nil, err
			}
			return serial().String(), resource.PropertyMap{
				"certRequestPem": text(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}),
				"keyAlgorithm":   algorithmOf(key.Public()),
			}, nil
		},
	}
}

func selfSignedCert() provider.Resource {
	return provider.Resource{
		Inputs: merged(named, issued,
			map[string]provider.Input{"privateKeyPem": {Kind: provider.Text, Required: true}}),
		Outputs: certificate,
		Make: func(inputs resource.PropertyMap) (string, resource.PropertyMap, error) {
			key, err := privateKeyOf(inputs["privateKeyPem"].StringValue())
			if err != nil {
				return "", nil, err
			}
			wanted, err := templateOf(inputs)
			if err != nil {
				return "", nil, err
			}
			return sign(inputs, wanted, wanted, key.Public(), key)
		},
	}
}

func locallySignedCert() provider.Resource {
	return provider.Resource{
		Inputs: merged(issued, map[string]provider.Input{
			"certRequestPem":  {Kind: provider.Text, Required: true},
			"caCertPem":       {Kind: provider.Text, Required: true},
			"caPrivateKeyPem": {Kind: provider.Text, Required: true},
		}),
		Outputs: merged(certificate, map[string]bool{"caKeyAlgorithm": false}),
		Make: func(inputs resource.PropertyMap) (string, resource.PropertyMap, error) {
			der, err := derOf(inputs["certRequestPem"].StringValue())
			if err != nil {
				return "", nil, fmt.Errorf("certRequestPem: %w", err)
			}
			request, err := x509.ParseCertificateRequest(der)
			if err != nil {
				return "", nil, fmt.Errorf("certRequestPem: %w", err)
			}
			if err := request.CheckSignature(); err != nil {
				return "", nil, fmt.Errorf("certRequestPem: %w", err)
			}
			if der, err = derOf(inputs["caCertPem"].StringValue()); err != nil {
				return "", nil, fmt.Errorf("caCertPem: %w", err)
			}
			authority, err := x509.ParseCertificate(der)
			if err != nil {
				return "", nil, fmt.Errorf("caCertPem: %w", err)
			}
			key, err := privateKeyOf(inputs["caPrivateKeyPem"].StringValue())
			if err != nil {
				return "", nil, err
			}
			wanted := &x509.Certificate{
				Subject: request.Subject, DNSNames: request.DNSNames,
				IPAddresses: request.IPAddresses, URIs: request.URIs,
			}
			id, outputs, err := sign(inputs, wanted, authority, request.PublicKey, key)
			if err == nil {
				outputs["caKeyAlgorithm"] = algorithmOf(key.Public())
			}
			return id, outputs, err
		},
	}
}

// sign fills in what the issuer decides and returns the certificate as outputs.
func sign(
	inputs resource.PropertyMap, wanted, authority *x509.Certificate,
	public crypto.PublicKey, key crypto.Signer,
) (string, resource.PropertyMap, error) {
	if err := setUses(wanted, inputs["allowedUses"]); err != nil {
		return "", nil, err
	}
	start := time.Now().UTC().Truncate(time.Second)
	wanted.SerialNumber = serial()
	wanted.NotBefore = start
	wanted.NotAfter = start.Add(time.Duration(inputs["validityPeriodHours"].NumberValue()) * time.Hour)
	wanted.BasicConstraintsValid = true
	wanted.IsCA = inputs["isCaCertificate"].BoolValue()
	der, err := x509.CreateCertificate(rand.Reader, wanted, authority, public, key)
	if err != nil {
		return "", nil, err
	}
	return wanted.SerialNumber.String(), resource.PropertyMap{
		"certPem":           text(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		"keyAlgorithm":      algorithmOf(public),
		"readyForRenewal":   resource.NewBoolProperty(false),
		"validityStartTime": resource.NewStringProperty(wanted.NotBefore.Format(time.RFC3339)),
		"validityEndTime":   resource.NewStringProperty(wanted.NotAfter.Format(time.RFC3339)),
	}, nil
}

func templateOf(inputs resource.PropertyMap) (*x509.Certificate, error) {
	wanted := &x509.Certificate{DNSNames: textsOf(inputs["dnsNames"])}
	for _, address := range textsOf(inputs["ipAddresses"]) {
		ip := net.ParseIP(address)
		if ip == nil {
			return nil, fmt.Errorf("ipAddresses: expected an IP address, got %q", address)
		}
		wanted.IPAddresses = append(wanted.IPAddresses, ip)
	}
	for _, address := range textsOf(inputs["uris"]) {
		uri, err := url.Parse(address)
		if err != nil {
			return nil, fmt.Errorf("uris: %w", err)
		}
		wanted.URIs = append(wanted.URIs, uri)
	}
	if inputs["subject"].IsObject() {
		for key, value := range inputs["subject"].ObjectValue() {
			if err := setName(&wanted.Subject, string(key), value.StringValue()); err != nil {
				return nil, err
			}
		}
	}
	return wanted, nil
}

func setName(name *pkix.Name, key, value string) error {
	switch key {
	case "commonName":
		name.CommonName = value
	case "organization":
		name.Organization = []string{value}
	case "organizationalUnit":
		name.OrganizationalUnit = []string{value}
	case "country":
		name.Country = []string{value}
	default:
		return fmt.Errorf("subject.%s: the stand-in does not know this part of a name", key)
	}
	return nil
}

func setUses(wanted *x509.Certificate, uses resource.PropertyValue) error {
	keyUses := map[string]x509.KeyUsage{
		"cert_signing": x509.KeyUsageCertSign, "crl_signing": x509.KeyUsageCRLSign,
		"digital_signature": x509.KeyUsageDigitalSignature,
		"key_encipherment":  x509.KeyUsageKeyEncipherment,
	}
	extended := map[string]x509.ExtKeyUsage{
		"client_auth": x509.ExtKeyUsageClientAuth, "server_auth": x509.ExtKeyUsageServerAuth,
	}
	for _, use := range textsOf(uses) {
		if bit, known := keyUses[use]; known {
			wanted.KeyUsage |= bit
		} else if usage, known := extended[use]; known {
			wanted.ExtKeyUsage = append(wanted.ExtKeyUsage, usage)
		} else {
			return fmt.Errorf("allowedUses: the stand-in does not know %q", use)
		}
	}
	return nil
}

func privateKeyOf(text string) (crypto.Signer, error) {
	der, err := derOf(text)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("private key: expected a PEM block of RSA, ECDSA or ED25519")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("private key: it can't sign")
	}
	return signer, nil
}

func derOf(text string) ([]byte, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("expected a PEM block")
	}
	return block.Bytes, nil
}

func algorithmOf(public crypto.PublicKey) resource.PropertyValue {
	switch public.(type) {
	case *ecdsa.PublicKey:
		return resource.NewStringProperty("ECDSA")
	case ed25519.PublicKey:
		return resource.NewStringProperty("ED25519")
	}
	return resource.NewStringProperty("RSA")
}

func serial() *big.Int {
	number, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		panic(err) // no randomness, no certificates
	}
	return number
}

func textsOf(list resource.PropertyValue) []string {
	var texts []string
	if list.IsArray() {
		for _, value := range list.ArrayValue() {
			texts = append(texts, value.StringValue())
		}
	}
	return texts
}

func merged[V any](parts ...map[string]V) map[string]V {
	all := map[string]V{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}
