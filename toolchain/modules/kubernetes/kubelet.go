package main

import (
	"github.com/spf13/cobra"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// newKubelet is apart from the rest because from 1.34 on kubelet is made in another way.
func newKubelet() *cobra.Command { return kubelet.NewKubeletCommand() }
