// Command pulumi-resource-tls is a stand-in for Pulumi's tls provider.
package main

import "coldstorage.local/lab/standins/internal/provider"

// version is set by the linker.
var version = "0.0.0-dev"

func main() {
	provider.Main("tls", version, map[string]provider.Resource{
		"tls:index/privateKey:PrivateKey":               privateKey(),
		"tls:index/certRequest:CertRequest":             certRequest(),
		"tls:index/selfSignedCert:SelfSignedCert":       selfSignedCert(),
		"tls:index/locallySignedCert:LocallySignedCert": locallySignedCert(),
	})
}
