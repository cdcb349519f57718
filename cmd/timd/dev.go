package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server/gateway"
	"github.com/opentim/tim/usersig"
)

const (
	devApp    = 1400000001
	devUser   = "alice"
	devAdmin  = "administrator" // may use the REST API
	devListen = "127.0.0.1:7700"
	devKey    = "app.key"  // in the data directory
	devNote   = "dev.json" // there too: where "tim" finds a running timd dev
	devTicket = 7 * 24 * time.Hour
)

// A devServer is what timd dev tells about itself.
type devServer struct {
	Endpoint string `json:"endpoint"`
	App      uint64 `json:"app"`
	KeyFile  string `json:"key_file"`
	User     string `json:"user"`
	Ticket   string `json:"ticket"`
}

func devCommand() *cobra.Command {
	var dir, listen, level string
	var asJSON bool
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run a server to try things with: no configuration, this machine only",
		Long: `Runs a server for trying things: it listens on this machine only and makes an app with a random secret key in its data
directory. The next start finds the same app, key and accounts there.

It prints where it is, and a ticket with which alice can log in. "tim login" in the same directory finds it by itself.`,
		Example: `  timd dev
  timd dev --data try --listen 127.0.0.1:0
  timd dev --json        # one line for programs: endpoint, app, key_file, user, ticket`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			listener, err := devListener(c.Context(), listen, c.Flags().Changed("listen"))
			if err != nil {
				return err
			}
			if !c.Flags().Changed("listen") && listener.Addr().String() != listen {
				fmt.Fprintf(c.ErrOrStderr(), "%s is taken by another program; this server has another port\n", listen)
			}
			return dev(c.Context(), dir, level, listener, asJSON, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&dir, "data", "tim-dev", "`directory` for the app's key and the accounts; made if it is not there")
	c.Flags().StringVar(&listen, "listen", devListen, "`address` to listen on; unless given, any free port if this one is taken")
	c.Flags().StringVar(&level, "log-level", "warn", "`level` of the log: debug, info, warn or error")
	c.Flags().BoolVar(&asJSON, "json", false, "print one line of JSON instead of prose")
	return c
}

// devListener listens on address, or on any free port if nobody insists on that one.
func devListener(ctx context.Context, address string, insist bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	if !isLoopback(host) {
		return nil, fmt.Errorf(`--listen %s: timd dev is for this machine only; use "timd serve" to serve others`, address)
	}
	listener, err := gateway.Listen(ctx, address)
	if err != nil && !insist {
		listener, err = gateway.Listen(ctx, net.JoinHostPort(host, "0"))
	}
	return listener, err
}

func dev(ctx context.Context, dir, level string, listener net.Listener, asJSON bool, out, errOut io.Writer) error {
	defer listener.Close() // when the node has not taken it
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	l, err := devConfig(dir, level, listener.Addr().String())
	if err != nil {
		return err
	}
	keyFile := filepath.Join(dir, devKey)
	keys, err := secret(keyFile)
	if err != nil {
		return fmt.Errorf("the app's key: %w", err)
	}
	n, err := start(ctx, l, l.logger(errOut), listener)
	if err != nil {
		return err
	}
	me := devServer{Endpoint: l.endpoint(listener.Addr().String()), App: devApp, KeyFile: keyFile, User: devUser}
	if me.Ticket, err = usersig.Sign(devApp, keys[0], devUser, devTicket); err == nil {
		err = me.announce(dir, asJSON, out)
	}
	if err != nil {
		n.close(ctx)
		return err
	}
	defer os.Remove(filepath.Join(dir, devNote))
	return n.run(ctx)
}

// devConfig is the configuration of timd dev. It makes the directory.
func devConfig(dir, level, address string) (*loaded, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	flags := pflag.NewFlagSet("dev", pflag.ContinueOnError)
	addFlags(flags)
	for name, value := range map[string]string{
		"listen": address, "data-dir": dir, "log-level": level, "node": "dev", "drain-time": "0s", "limits-user-logins-per-second": "0",
		"app": fmt.Sprintf("%d=%s", devApp, filepath.Join(dir, devKey)),
	} {
		if err := flags.Set(name, value); err != nil {
			return nil, err
		}
	}
	l, err := load(flags, nil)
	if err != nil {
		return nil, err
	}
	l.Apps[0].Admins = []string{devAdmin}
	return l, nil
}

// announce says what one needs to know, and leaves a note in dir that "tim" reads.
func (d devServer) announce(dir string, asJSON bool, out io.Writer) error {
	line, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, devNote), append(line, '\n')); err != nil {
		return fmt.Errorf("leave a note for tim: %w", err)
	}
	if asJSON {
		_, err = fmt.Fprintf(out, "%s\n", line)
		return err
	}
	try := "tim login " + d.User
	if cwd, err := os.Getwd(); err != nil || filepath.Join(cwd, "tim-dev") != dir {
		try += " --dev " + dir
	}
	_, err = fmt.Fprintf(out, `timd %s is ready, for this machine only. Ctrl-C ends it.

  endpoint   %s
  SDKAppID   %d
  key        %s
  ticket     for %s, valid 7 days:
%s

Try it in another terminal:

  %s
`, codes.Version, d.Endpoint, d.App, d.KeyFile, d.User, d.Ticket, try)
	return err
}
