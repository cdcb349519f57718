package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newSessions() *cobra.Command {
	var r rest
	c := &cobra.Command{
		Use:   "sessions USER",
		Short: "List where USER is signed in",
		Long: `sessions lists every session of USER, on every server, oldest login first.

A session is Away when its connection was lost: the device may come back by itself, and until it does or is given up the
session counts. INSTANCE is what "tim kick --instance" takes.

It asks the server's REST API as an administrator of the app: a user who is named under admins in the server's
configuration. The ticket for that is signed here with --key-file.`,
		Example: `  tim sessions alice                # beside "timd dev"
  tim sessions alice --endpoint wss://tim.example.com --app 1400000000 --key-file key --admin root
  tim sessions alice --json | jq '.Sessions[].Platform'`,
		Args: exactlyOne("USER, whose sessions to list"),
		RunE: func(c *cobra.Command, args []string) error {
			a, err := r.open(c.OutOrStdout())
			if err != nil {
				return err
			}
			return a.sessions(c, args[0])
		},
	}
	r.flags(c)
	return c
}

func (a *asker) sessions(c *cobra.Command, user string) error {
	var reply struct {
		Sessions []struct {
			Instance, Platform, Label, Status, Node string
			LoginTimeMs                             int64
		}
	}
	answer, err := a.ask(c.Context(), "tim_admin/sessions", map[string]any{"UserID": user}, &reply)
	if err != nil {
		return err
	}
	return a.tell(answer, func(t *tabwriter.Writer) {
		if len(reply.Sessions) == 0 {
			fmt.Fprintf(t, "%s is signed in nowhere\n", user)
			return
		}
		fmt.Fprintln(t, "PLATFORM\tSTATUS\tLABEL\tSIGNED IN\tINSTANCE\tNODE")
		for _, s := range reply.Sessions {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Platform, s.Status, printable(s.Label), ago(s.LoginTimeMs), printable(s.Instance), printable(s.Node))
		}
	})
}
