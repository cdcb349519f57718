package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/core"
	"github.com/opentim/tim/usersig"
)

type loginCommand struct {
	target
	ticket, platform, label, dataDir string
	verbose, json, allowInsecure     bool
	expire                           time.Duration
}

func newLogin() *cobra.Command {
	l := &loginCommand{}
	c := &cobra.Command{
		Use:   "login USER",
		Short: "Log in, stay online and say what happens",
		Long: `login signs USER in through the real client engine, stays online and prints each event in plain words.

The ticket comes from --ticket (a file, or - for standard input) as your backend would make it, or is signed here with
--key-file, which is for development: whoever has the key can be anybody. With the key, the ticket is also renewed
before it ends.

Ctrl-C logs out. When the server ends the session, tim says why and exits with 1.`,
		Example: `  tim login alice                                      # beside "timd dev"
  tim login alice --platform ios --label "Alice's phone"
  tim login alice --endpoint wss://tim.example.com --app 1400000000 --ticket - < ticket
  tim login alice --json | jq .event                   # one JSON object a line`,
		Args: exactlyOne("USER, the userID to log in"),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return l.run(ctx, args[0], c.InOrStdin(), c.OutOrStdout())
		},
	}
	l.flags(c)
	l.endpointFlag(c)
	c.Flags().StringVar(&l.ticket, "ticket", "", "file with the ticket, or - for standard input")
	c.Flags().DurationVar(&l.expire, "expire", 24*time.Hour, "how long a ticket signed with --key-file is valid")
	c.Flags().StringVar(&l.platform, "platform", ownPlatform(), "what the login policies count this as: ios, ipad, android, windows, mac, linux or web")
	c.Flags().StringVar(&l.label, "label", ownName(), "what the other devices call this one when it kicks them")
	c.Flags().StringVar(&l.dataDir, "data-dir", "", "folder that keeps the instance ID, so that a restart is the same device")
	c.Flags().BoolVar(&l.json, "json", false, "print each event as a JSON object on a line of its own")
	c.Flags().BoolVarP(&l.verbose, "verbose", "v", false, "print what the engine does, too")
	c.Flags().BoolVar(&l.allowInsecure, "allow-insecure", false, "accept ws:// beyond this machine: the ticket crosses the network in the clear")
	return c
}

func (l *loginCommand) run(ctx context.Context, user string, in io.Reader, out io.Writer) error {
	options, ticket, err := l.prepare(user, in)
	if err != nil {
		return err
	}
	narrator := newNarrator(out, l.json, user)
	over := make(chan error, 1)
	options.Listener = func(e core.Event) {
		narrator.tell(e)
		switch e.Kind {
		case codes.EventKickedOffline, codes.EventUserSigExpired:
			over <- said{fmt.Errorf("the session of %s has ended: %w", user, e.Code)} // the narrator has said why
		}
	}
	client, err := core.Open(options)
	if err != nil {
		return err
	}
	defer client.Close()
	defer wakeOnContinue(client)()

	result, err := client.Login(ctx, user, ticket)
	if err != nil {
		return fmt.Errorf("log in %s at %s: %w", user, l.Endpoint, err)
	}
	narrator.loggedIn(result)
	select {
	case err := <-over:
		return err
	case <-ctx.Done():
		narrator.say("logging out")
		return client.Logout(context.Background())
	}
}

// prepare turns flags into options and the first ticket.
func (l *loginCommand) prepare(user string, in io.Reader) (core.Options, string, error) {
	if err := l.fill(); err != nil {
		return core.Options{}, "", err
	}
	platform, ok := codes.ParsePlatform(l.platform)
	switch {
	case !ok:
		return core.Options{}, "", fmt.Errorf("--platform %q: choose ios, ipad, android, windows, mac, linux or web", l.platform)
	case l.Endpoint == "":
		return core.Options{}, "", l.missing("--endpoint")
	case l.App == 0:
		return core.Options{}, "", l.missing("--app, the SDKAppID,")
	}
	options := core.Options{
		URL: l.Endpoint, App: l.App, Platform: platform, Label: l.label, DataDir: l.dataDir,
		SDK: "tim-cli/" + codes.Version, AllowInsecure: l.allowInsecure,
	}
	if l.verbose {
		options.LogLevel = codes.LogDebug
	}
	if l.ticket != "" {
		ticket, err := readTicket(l.ticket, in)
		return options, ticket, err
	}
	key, err := l.key()
	if err != nil {
		return core.Options{}, "", err
	}
	if key == "" {
		return core.Options{}, "", errors.New("a ticket is needed: give --ticket, or --key-file to sign one here")
	}
	options.TicketProvider = func(context.Context, string) (string, error) {
		return usersig.Sign(l.App, key, user, l.expire)
	}
	ticket, err := usersig.Sign(l.App, key, user, l.expire)
	return options, ticket, err
}

func readTicket(path string, in io.Reader) (string, error) {
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", fmt.Errorf("read the ticket: %w", err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, usersig.MaxText+1))
	if err != nil {
		return "", fmt.Errorf("read the ticket: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}

// wakeOnContinue tells the engine when this process comes back from Ctrl-Z: its timers stood still meanwhile.
func wakeOnContinue(client *core.Client) (stop func()) {
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-continued:
				client.Wake()
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(continued); close(done) }
}

func ownPlatform() string {
	switch runtime.GOOS {
	case "windows":
		return codes.PlatformWindows.String()
	case "darwin":
		return codes.PlatformMac.String()
	}
	return codes.PlatformLinux.String()
}

func ownName() string {
	name, err := os.Hostname()
	if err != nil || len(name) > 64 {
		return "tim"
	}
	return name
}
