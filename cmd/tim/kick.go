package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newKick() *cobra.Command {
	var r rest
	var instance string
	c := &cobra.Command{
		Use:   "kick USER",
		Short: "Sign USER out everywhere, or on one device",
		Long: `kick ends every session of USER, on every server, and refuses the tickets that were made before: USER can come back only
with a new one from your backend. Each device learns that an administrator did it.

With --instance only that device is signed out, and it may log in again with the ticket it has.

kick says of each device whether it was told. One that was away learns it when it comes back; one whose server was silent, at
the latest when that server looks again, within a minute.`,
		Example: `  tim kick alice                    # beside "timd dev"
  tim sessions alice                # shows the instances
  tim kick alice --instance 01JD9YB2ZQ`,
		Args: exactlyOne("USER, whom to sign out"),
		RunE: func(c *cobra.Command, args []string) error {
			a, err := r.open(c.OutOrStdout())
			if err != nil {
				return err
			}
			return a.kick(c, args[0], instance)
		},
	}
	r.flags(c)
	c.Flags().StringVar(&instance, "instance", "", "sign out this device only, as \"tim sessions\" names it")
	return c
}

// A kicked is what the server says of a kick.
type kicked struct {
	Told      int
	Instances []struct {
		Instance, Platform, Label, Node, Result string
	}
	SilentNodes []string
}

func (a *asker) kick(c *cobra.Command, user, instance string) error {
	command, in := "im_open_login_svc/kick", map[string]any{"UserID": user}
	if instance != "" {
		command, in["Instance"] = "tim_admin/kick_instance", instance
	}
	var reply kicked
	answer, err := a.ask(c.Context(), command, in, &reply)
	if err != nil {
		return err
	}
	return a.tell(answer, func(t *tabwriter.Writer) {
		fmt.Fprint(t, reply.words(user, instance == ""))
		reply.table(t)
	})
}

// table lists the devices that were signed out.
func (k kicked) table(t *tabwriter.Writer) {
	if len(k.Instances) > 0 {
		fmt.Fprintln(t, "\nPLATFORM\tLABEL\tRESULT\tINSTANCE\tNODE")
	}
	for _, i := range k.Instances {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", i.Platform, printable(i.Label), i.Result, printable(i.Instance), printable(i.Node))
	}
}

func (k kicked) words(user string, all bool) string {
	words := fmt.Sprintf("%s was signed in nowhere", user)
	if n := len(k.Instances); n > 0 {
		words = fmt.Sprintf("%s is signed out of %s; %d of them told", user, devices(n), k.Told)
	}
	if all {
		words += "; tickets made before now are refused"
	}
	words += "\n"
	if len(k.SilentNodes) > 0 {
		words += fmt.Sprintf("no answer from %s: devices there learn it within a minute, or when they come back\n", printable(strings.Join(k.SilentNodes, ", ")))
	}
	return words
}

func devices(n int) string {
	if n == 1 {
		return "1 device"
	}
	return fmt.Sprintf("%d devices", n)
}
