// Package schemas holds what two providers take and give, as data; README.md says from where.
package schemas

import _ "embed"

// Cloudflare is the schema of the cloudflare provider.
//
//go:embed cloudflare.json
var Cloudflare []byte

// Hcloud is the schema of the hcloud provider.
//
//go:embed hcloud.json
var Hcloud []byte
