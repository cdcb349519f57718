package nats_test

import (
	"testing"
	"time"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/nats"
	"github.com/opentim/tim/server/registry/registrytest"
)

func TestRegistry(t *testing.T) {
	s := startServer(t, 0)
	registrytest.Run(t, registrytest.Engine{
		Case: func(t *testing.T, f func(t *testing.T)) { // leases take their time: side by side
			t.Parallel()
			f(t)
		},
		New: func(*testing.T) registrytest.Cluster {
			o := nats.Options{URL: s.ClientURL(), Cluster: newCluster()}
			return registrytest.Cluster{
				Open: func(t *testing.T) server.Registry {
					r := open(t, o)
					r.BePatient(3 * time.Second)
					return r
				},
				Crash: func(_ *testing.T, r server.Registry) { r.(*nats.Registry).Crash() },
			}
		},
	})
}
