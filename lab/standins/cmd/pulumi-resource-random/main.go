// Command pulumi-resource-random is a stand-in for Pulumi's random provider.
package main

import "coldstorage.local/lab/standins/internal/provider"

// version is set by the linker.
var version = "0.0.0-dev"

func main() {
	provider.Main("random", version, map[string]provider.Resource{
		"random:index/randomPassword:RandomPassword": password(),
		"random:index/randomBytes:RandomBytes":       randomBytes(),
		"random:index/randomId:RandomId":             randomID(),
	})
}
