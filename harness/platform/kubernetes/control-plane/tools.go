//go:build tools

// Package controlplane names the programs of the real control plane; nothing of it is linked into anything else.
package controlplane

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
)
