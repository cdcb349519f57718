// Command timload measures tim's server, and breaks it on purpose: how many logins it takes, what an idle session costs, how it
// comes back after a crash, how fast a kick is, and whether it keeps what it promised.
//
// It starts every server it needs itself, as child processes on this machine, and never touches another. bench/README.md says
// how figures are taken and which were.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program. It returns the exit code: 0 all went well, 1 something failed, 2 a goal was missed with --check.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := rootCommand(stdout, stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		err = errors.New("interrupted; the servers are gone")
	}
	fmt.Fprintln(stderr, "timload:", err)
	if errors.Is(err, errMissed) {
		return 2
	}
	return 1
}

const rootHelp = `timload measures tim's server, next to baselines, and breaks it on purpose.

It builds and starts every server itself: run it inside tim's sources, or give it a timd with --timd. All traffic stays on
this machine. Each round prints one line of JSON to standard output; progress and the table of medians go to standard error.
Everything is bounded in count and time, and nothing stays behind: neither processes nor files.

Quiet machines give better figures. The first line says how busy this one was.`

func rootCommand(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:           "timload",
		Short:         "Measure tim's server",
		Long:          rootHelp,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.CompletionOptions.DisableDefaultCmd = true
	for _, t := range []test{rateTest(), sizesTest(), holdTest(), stormTest(), kickTest(), crashTest()} {
		root.AddCommand(t.command())
	}
	root.AddCommand(bareCommand())
	return root
}
