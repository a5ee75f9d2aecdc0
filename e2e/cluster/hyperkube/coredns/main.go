// coredns is CoreDNS with the few plugins that a cluster's DNS needs. It is in the module of hyperkube so that what both
// use, such as client-go, is compiled once.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/ready"
)

func init() {
	// In this order a question passes through them.
	dnsserver.Directives = []string{"ready", "health", "errors", "cache", "loadbalance", "hosts", "kubernetes"}
}

func main() { coremain.Run() }
