package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificates serves a certificate from files and notices when they are replaced, so that renewing it needs no restart.
type certificates struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	checked time.Time
	stamp   [2]time.Time
}

// recheck is how often the files are looked at, and only while clients connect.
const recheck = 5 * time.Second

// tlsConfig reads the files once and fails if they do not make a certificate.
func tlsConfig(certFile, keyFile string, log *slog.Logger) (*tls.Config, error) {
	c := &certificates{certFile: certFile, keyFile: keyFile, log: log}
	if err := c.read(); err != nil {
		return nil, fmt.Errorf("TLS certificate: %w", err)
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"}, // a WebSocket cannot be upgraded from HTTP/2
		GetCertificate: c.get,
	}, nil
}

func (c *certificates) read() error {
	stamp := c.stamps() // before reading: what is replaced meanwhile has a later one, and is read again
	cert, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil { // such as that the two are in each other's place
		return err
	}
	if err := checkSecret(c.keyFile); err != nil {
		return err
	}
	if until := cert.Leaf.NotAfter; time.Now().After(until) {
		c.log.Warn("the TLS certificate has expired: clients refuse it", "expired", until, "file", c.certFile)
	}
	c.current, c.stamp = &cert, stamp
	return nil
}

func (c *certificates) stamps() (s [2]time.Time) {
	for i, path := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(path); err == nil {
			s[i] = info.ModTime()
		}
	}
	return s
}

// get returns the certificate. One that cannot be read, such as while it is being replaced, leaves the old one in place.
func (c *certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) > recheck {
		c.checked = now
		if c.stamps() != c.stamp {
			if err := c.read(); err != nil {
				c.log.Warn("cannot read the TLS certificate; the old one stays", "error", err)
			} else {
				c.log.Info("new TLS certificate", "expires", c.current.Leaf.NotAfter)
			}
		}
	}
	return c.current, nil
}
