package main

import (
	"context"

	"github.com/spf13/cobra"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// newKubelet is apart from the rest because until 1.33 kubelet was made in another way.
func newKubelet() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }
