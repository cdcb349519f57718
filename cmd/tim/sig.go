package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/usersig"
)

func newSig() *cobra.Command {
	c := &cobra.Command{
		Use:   "sig",
		Short: "Make, verify and explain tickets (UserSig)",
		Long: `A ticket (UserSig, TLSSigAPIv2) is proof, made by your backend with the app's secret key, that its bearer is a user
until it expires. sig does by hand what your backend does with one of Tencent's signing libraries or our package usersig.`,
	}
	return group(c, newSigMake(), newSigVerify(), newSigExplain())
}

func newSigMake() *cobra.Command {
	var (
		t      target
		expire time.Duration
	)
	c := &cobra.Command{
		Use:   "make USER",
		Short: "Sign a ticket for USER",
		Long: `make prints a ticket for USER and nothing else, so that it can be piped.

The ticket is valid through the whole second in which it ends. Two tickets made in different seconds differ: their time is
part of them.`,
		Example: `  tim sig make alice --app 1400000000 --key-file key
  tim sig make alice --expire 10m > ticket      # beside "timd dev"`,
		Args: exactlyOne("USER, the userID the ticket is for"),
		RunE: func(c *cobra.Command, args []string) error {
			key, err := t.mustKey()
			if err != nil {
				return err
			}
			ticket, err := usersig.Sign(t.App, key, args[0], expire)
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), ticket)
			return nil
		},
	}
	t.flags(c)
	c.Flags().DurationVar(&expire, "expire", 180*24*time.Hour, "how long the ticket is valid, from one second to 50 years")
	return c
}

func newSigVerify() *cobra.Command {
	var (
		t      target
		user   string
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "verify TICKET",
		Short: "Check a ticket as the server would",
		Long: `verify checks TICKET as the server would at a login of --user, and prints what it holds. TICKET may be - for standard input.

It exits with 1 and the server's code if the ticket would be refused. "tim sig explain" says more about why.`,
		Example: `  tim sig verify --user alice --app 1400000000 --key-file key "$TICKET"
  tim sig make alice | tim sig verify --user alice -`,
		Args: exactlyOne("TICKET, or - for standard input"),
		RunE: func(c *cobra.Command, args []string) error {
			key, err := t.mustKey()
			if err != nil {
				return err
			}
			if user == "" {
				return errors.New("--user, who logs in with the ticket, is missing")
			}
			ticket, err := argument(args[0], c.InOrStdin())
			if err != nil {
				return err
			}
			held, err := usersig.NewVerifier(t.App, key).Verify(ticket, user, time.Now())
			if err != nil {
				return err
			}
			return printTicket(c.OutOrStdout(), held, asJSON)
		},
	}
	t.flags(c)
	c.Flags().StringVar(&user, "user", "", "the userID that logs in with the ticket")
	c.Flags().BoolVar(&asJSON, "json", false, "print what the ticket holds as JSON")
	return c
}

func newSigExplain() *cobra.Command {
	var (
		t    target
		user string
	)
	c := &cobra.Command{
		Use:   "explain TICKET",
		Short: "Say in words what is in a ticket and what is wrong with it",
		Long: `explain reads TICKET (or - for standard input) as far as it can be read and says in plain words which field is wrong, by
how much, and by whose clock. --app, --key-file and --user are optional: what is not given is not compared.

It exits with 1 if the server would refuse the ticket.`,
		Example: `  tim sig explain "$TICKET"
  tim sig explain --user alice --app 1400000000 --key-file key - < ticket`,
		Args: exactlyOne("TICKET, or - for standard input"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := t.fill(); err != nil {
				return err
			}
			key, err := t.key()
			if err != nil {
				return err
			}
			ticket, err := argument(args[0], c.InOrStdin())
			if err != nil {
				return err
			}
			explanation := usersig.Explain(ticket, t.App, user, key, time.Now())
			fmt.Fprintln(c.OutOrStdout(), explanation)
			if key == "" && explanation.Code == codes.TicketKeyMissing {
				return nil // nobody asked for the signature to be checked
			}
			if explanation.Code != codes.OK {
				return said{explanation.Code}
			}
			return nil
		},
	}
	t.flags(c)
	c.Flags().StringVar(&user, "user", "", "the userID that logs in with the ticket")
	return c
}

// mustKey completes t for commands that cannot do without an app and its key.
func (t *target) mustKey() (string, error) {
	if err := t.fill(); err != nil {
		return "", err
	}
	if t.App == 0 {
		return "", t.missing("--app, the SDKAppID,")
	}
	key, err := t.key()
	if err == nil && key == "" {
		err = errors.New("--key-file, the file with the app's secret key, is missing; a key is never taken from the command line, where others could read it")
	}
	return key, err
}

func argument(arg string, in io.Reader) (string, error) {
	if arg == "-" {
		return readTicket("-", in)
	}
	return arg, nil
}

func printTicket(out io.Writer, t usersig.Ticket, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(map[string]any{
			"user": t.UserID, "app": t.App, "issued": t.Issued, "expires": t.Expires, "userbuf": t.UserBuf,
		})
	}
	fmt.Fprintf(out, "the ticket is good\n  user     %s\n  app      %d\n  issued   %s\n  expires  %s\n",
		t.UserID, t.App, t.Issued.Local().Format(time.RFC1123), moment(t.Expires))
	if len(t.UserBuf) > 0 {
		fmt.Fprintf(out, "  userbuf  %d bytes\n", len(t.UserBuf))
	}
	return nil
}
