package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server/gateway"
)

// storeFile is where timd keeps its accounts, in its data directory.
const storeFile = "tim.db"

// A product is a timd with a data directory of its own, which outlives its crashes.
type product struct {
	*server
	data string
}

// timServer configures a timd that serves the app of accounts.go and is left at its defaults otherwise. A nil identity means
// plain TCP.
func (r *rig) timServer(name string, id *identity) (*product, error) {
	return r.timServerIn(filepath.Join(r.dir, name), name, id, "")
}

// timServerIn is timServer for a data directory that may be there already, and with more lines for the configuration.
func (r *rig) timServerIn(data, name string, id *identity, more string) (*product, error) {
	p := &product{data: data}
	keyFile, configFile := filepath.Join(r.dir, name+".key"), filepath.Join(r.dir, name+".yaml")
	if err := os.WriteFile(keyFile, []byte(appKey+"\n"), 0o600); err != nil {
		return nil, err
	}
	var trust *tls.Config
	if id != nil {
		trust = id.client
	}
	var err error
	p.server, err = r.newServer(name, gateway.Path, wire.Subprotocol, trust, func(string) *exec.Cmd {
		cmd := exec.Command(r.timd, "serve", "--config", configFile)
		cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "TIMD_") })
		return cmd
	})
	if err != nil {
		return nil, err
	}
	return p, os.WriteFile(configFile, []byte(p.config(keyFile, id)+more), 0o600)
}

func (p *product) config(keyFile string, id *identity) string {
	text := fmt.Sprintf("limits: {user_logins_per_second: 0}\nlisten: %s\ndata_dir: %q\napps:\n  - id: %d\n    key_file: %q\n", p.addr, p.data, uint64(appID), keyFile)
	if id != nil {
		text += fmt.Sprintf("tls:\n  cert_file: %q\n  key_file: %q\n", id.certFile, id.keyFile)
	}
	return text
}
