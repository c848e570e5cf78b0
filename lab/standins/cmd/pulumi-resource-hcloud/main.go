// Command pulumi-resource-hcloud is a stand-in for the hcloud provider: it speaks to the lab's
// cloud and to nothing else.
package main

import (
	"coldstorage.local/lab/standins/internal/cloud"
	"coldstorage.local/lab/standins/schemas"
)

// version is set by the linker.
var version = "0.0.0-dev"

func main() {
	cloud.Main(cloud.Provider{
		Document: schemas.Hcloud,
		// The official provider sends calls for storage boxes to the second.
		Endpoints: []string{"endpoint", "endpointHetzner"},
		Token:     "token",
		Autonamed: true,
	}, version)
}
