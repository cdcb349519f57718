// Command timd is the tim server.
//
// Read config.go first: it lists what can be set. node.go puts the parts of a server together; serve.go and dev.go are the
// two ways to start one.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/opentim/tim/codes"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := rootCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "timd:", err)
		os.Exit(1)
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "timd",
		Short: "The tim server: keeps users signed in and decides which of their devices may be online together",
		Long: `timd is the tim server.

To try it on this machine, without any configuration:

  timd dev

To run it for others, name an app and its secret key, and a certificate:

  timd serve --app 1400000001=app.key --listen :7700 --tls-cert-file cert.pem --tls-key-file key.pem

"timd config" takes the same flags as "timd serve" and prints every value and where it came from.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(explainFlag)
	root.AddCommand(serveCommand(), devCommand(), configCommand(), versionCommand())
	return root
}

// explainFlag adds to a mistake in a flag what may have been meant, and where all flags are.
func explainFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || len(unknown.GetSpecifiedName()) < 2 {
		return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
	}
	var known []string
	c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	best := nearest(unknown.GetSpecifiedName(), known)
	if best == "" {
		return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
	}
	return fmt.Errorf("%w; did you mean --%s? See %s --help", err, best, c.CommandPath())
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(c *cobra.Command, _ []string) {
			fmt.Fprintf(c.OutOrStdout(), "timd %s (%s, %s/%s)\n", codes.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	}
}
