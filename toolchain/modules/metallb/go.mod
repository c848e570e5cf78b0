module coldstorage.local/toolchain/metallb

go 1.26

require go.universe.tf/metallb v0.15.2

tool (
	go.universe.tf/metallb/controller
	go.universe.tf/metallb/speaker
)
