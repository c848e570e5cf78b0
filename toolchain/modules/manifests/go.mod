module coldstorage.local/toolchain/manifests

go 1.26

require (
	github.com/yannh/kubeconform v0.7.0
	github.com/zegl/kube-score v1.20.0
)
