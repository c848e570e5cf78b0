// Command pulumi-resource-cloudflare is a stand-in for the cloudflare provider: it speaks to the
// lab's cloud and to nothing else.
package main

import (
	"coldstorage.local/lab/standins/internal/cloud"
	"coldstorage.local/lab/standins/schemas"
)

// version is set by the linker.
var version = "0.0.0-dev"

func main() {
	cloud.Main(cloud.Provider{
		Document:  schemas.Cloudflare,
		Endpoints: []string{"baseUrl"},
		Token:     "apiToken",
	}, version)
}
