//go:build tools

// Package tools names what is built here, so that go.mod keeps it.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
