package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server/admin"
	"github.com/opentim/tim/server/gateway"
)

func serveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Runs the server until it is told to stop by SIGTERM or Ctrl-C. It then sends its clients away over the drain time, with
the word to come back, and exits. A second signal ends it at once.

Each app needs its SDKAppID and a file with the secret key that signs its tickets, readable by its owner only (chmod 600). A
key stands on a line of its own; with several lines all of them are accepted, so that a key can be replaced.

Every flag can also stand in a YAML file and in the environment; "timd config" prints what comes out. A file looks like this:

  listen: :7700
  data_dir: /var/lib/tim
  tls:
    cert_file: /etc/tim/cert.pem
    key_file: /etc/tim/key.pem
  apps:
    - id: 1400000001
      name: my app
      key_file: /etc/tim/app.key
      admins: [administrator]
      zone: Asia/Shanghai

Files are named from the directory in which timd starts. Who may use the REST API (admins), and all else of an app but its key, can only stand in
the file.

The WebSocket is at ` + gateway.Path + `; /healthz and /readyz answer on the same port, and so does the REST API, to the admins of an app:
` + admin.OpenAPIPath + ` describes it.`,
		Example: `  timd serve --app 1400000001=app.key
  timd serve --config timd.yaml --log-level debug
  TIMD_APPS=1400000001=/run/secrets/app.key timd serve --listen :7700 --allow-insecure`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := load(c.Flags(), os.Environ())
			if err != nil {
				return err
			}
			return serve(c.Context(), l, c.ErrOrStderr())
		},
	}
	addFlags(c.Flags())
	return c
}

func serve(ctx context.Context, l *loaded, out io.Writer) error {
	if len(l.Apps) == 0 {
		return errors.New(`there is no app to serve: give one with --app ID=KEYFILE or in the file of --config, or try "timd dev"`)
	}
	log := l.logger(out)
	listener, err := gateway.Listen(ctx, l.Listen)
	if err != nil {
		return l.wrong("listen", err.Error())
	}
	n, err := start(ctx, l, log, listener)
	if err != nil {
		return err
	}
	log.Info("serving", "version", codes.Version, "endpoint", l.endpoint(listener.Addr().String()), "apps", len(l.Apps), "data_dir", l.DataDir,
		"store", kindOf(l.Store, "postgres", "sqlite"), "registry", kindOf(l.Registry, "nats", "memory"))
	for _, err := range l.exposed() {
		log.Warn("a password is no secret", "error", err)
	}
	if os.Geteuid() == 0 {
		log.Warn("timd runs as root and needs no privilege: give it a user of its own")
	}
	return n.run(ctx)
}

// kindOf says which of two engines a URL stands for.
func kindOf(url, shared, own string) string {
	if url != "" {
		return shared
	}
	return own
}

// endpoint returns what a client on this machine connects to.
func (l *loaded) endpoint(address string) string {
	scheme := "ws"
	if l.TLS.CertFile != "" {
		scheme = "wss"
	}
	return scheme + "://" + address + gateway.Path
}

func (l *loaded) logger(out io.Writer) *slog.Logger {
	level, _ := l.logLevel() // was checked
	o := &slog.HandlerOptions{Level: level}
	if l.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(out, o))
	}
	return slog.New(slog.NewTextHandler(out, o))
}

func zone(name string) *time.Location {
	loc, err := time.LoadLocation(name) // was checked; "" is UTC
	if err != nil {
		panic(fmt.Sprintf("timd: the zone %q was not checked", name))
	}
	return loc
}
