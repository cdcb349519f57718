// Command tim makes and explains tickets, logs in, and asks a server what its administrators may, from a terminal.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/opentim/tim/codes"
)

func main() {
	root := newRoot()
	if err := root.Execute(); err != nil {
		if !errors.As(err, new(said)) {
			fmt.Fprintln(os.Stderr, "tim:", err)
		}
		os.Exit(exitCode(err))
	}
}

// said is an error that the command has already told in its own words.
type said struct{ error }

func (s said) Unwrap() error { return s.error }

// exitCode tells scripts apart what a person reads: 1 for what the server or the ticket said, 2 for a wrong command line.
func exitCode(err error) int {
	if code := codes.Code(0); errors.As(err, &code) && code != codes.InvalidParameters {
		return 1
	}
	return 2
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "tim",
		Short: "Make tickets, log in, see what happens, and look after a server",
		Long: `tim makes and explains tickets (UserSig), logs in to a tim server, and does what its administrators do, from a terminal.

Every flag can also be given as an environment variable: --key-file as TIM_KEY_FILE. A flag wins.
Next to a server started with "timd dev", no flag is needed: tim reads ./tim-dev/dev.json.`,
		Example: `  timd dev                    # in one terminal
  tim login alice             # in another
  tim login alice --platform ios   # in a third: the first is kicked

  tim sessions alice          # where is she signed in?
  tim doctor                  # why can nobody log in?

  tim sig make alice --app 1400000000 --key-file key
  tim sig explain "$TICKET"`,
		Version:           codes.Version,
		SilenceUsage:      true,
		SilenceErrors:     true,
		PersistentPreRunE: fromEnvironment,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
	})
	root.AddCommand(newSig(), newLogin(), newSessions(), newKick(), newBan(), newUnban(), newSettings(), newDAU(), newDoctor())
	return root
}

// fromEnvironment fills the flags that were not given from TIM_… variables.
func fromEnvironment(c *cobra.Command, _ []string) error {
	var mistakes []error
	c.Flags().VisitAll(func(f *pflag.Flag) {
		name := "TIM_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := os.LookupEnv(name)
		if f.Changed || !ok || f.Name == "help" {
			return
		}
		if err := c.Flags().Set(f.Name, value); err != nil {
			mistakes = append(mistakes, fmt.Errorf("environment variable %s: %w", name, err))
		}
	})
	return errors.Join(mistakes...)
}
