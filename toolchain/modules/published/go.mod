// Nothing is built of these: what they publish beside their code is what our objects are held to.
module coldstorage.local/toolchain/published

go 1.26

require (
	github.com/cert-manager/cert-manager v1.19.1
	github.com/k3s-io/helm-controller v0.16.13
)
