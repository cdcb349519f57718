package main

import (
	"fmt"
	"math/rand/v2"
	"net/url"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// A network lies between the Go program and the server, and can be cut.
type network struct {
	proxy    *toxiproxy.Proxy
	endpoint string // the server's, through the network
}

func openNetwork(endpoint string) (*network, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	// Nobody else listens at this address, so that its port is still free when the network comes back.
	listen := fmt.Sprintf("127.%d.%d.%d:0", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "network", listen, u.Host)
	if err := proxy.Start(); err != nil {
		return nil, err
	}
	through, err := replaceHost(endpoint, proxy.Listen)
	return &network{proxy, through}, err
}

// cut resets every connection and refuses new ones.
func (n *network) cut() { n.proxy.Stop() }

func (n *network) mend() error { return n.proxy.Start() }
