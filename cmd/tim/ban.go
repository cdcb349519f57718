package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

func newBan() *cobra.Command {
	var r rest
	var lasts, until string
	c := &cobra.Command{
		Use:   "ban USER",
		Short: "Keep USER out, for a time or for ever",
		Long: `ban ends every session of USER, on every server, and refuses logins until the ban is over: with --for or --until after a time,
otherwise when somebody says "tim unban". A user who is banned already is banned anew.

USER must have an account, which the first login makes. The devices learn that an administrator did it, and a login is
answered with 70051.`,
		Example: `  tim ban mallory                   # beside "timd dev"; until "tim unban mallory"
  tim ban mallory --for 7d
  tim ban mallory --until 2026-12-31T00:00:00Z`,
		Args: exactlyOne("USER, whom to ban"),
		RunE: func(c *cobra.Command, args []string) error {
			seconds, err := banTime(lasts, until, time.Now())
			if err != nil {
				return err
			}
			a, err := r.open(c.OutOrStdout())
			if err != nil {
				return err
			}
			return a.ban(c.Context(), args[0], seconds)
		},
	}
	r.flags(c)
	c.Flags().StringVar(&lasts, "for", "", "how long, such as 90m, 24h or 7d")
	c.Flags().StringVar(&until, "until", "", "until when, such as 2026-12-31T00:00:00Z")
	return c
}

// banTime returns the seconds of a ban, 0 for one without end.
func banTime(lasts, until string, now time.Time) (int64, error) {
	var d time.Duration
	switch {
	case lasts != "" && until != "":
		return 0, errors.New("give --for or --until, not both")
	case lasts != "":
		var err error
		if d, err = withDays(lasts); err != nil || d < time.Second {
			return 0, fmt.Errorf("--for %q is no time, such as 90m, 24h or 7d", lasts)
		}
	case until != "":
		at, err := time.Parse(time.RFC3339, until)
		if err != nil {
			return 0, fmt.Errorf("--until %q is no moment, such as %s", until, now.Add(24*time.Hour).UTC().Format(time.RFC3339))
		}
		if d = at.Sub(now); d < time.Second {
			return 0, fmt.Errorf("--until %s is over", until)
		}
	}
	return int64((d + time.Second - 1) / time.Second), nil
}

// withDays reads what time.ParseDuration reads, and days.
func withDays(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 15)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

func (a *asker) ban(ctx context.Context, user string, seconds int64) error {
	in := map[string]any{"UserID": user}
	words := user + " is banned until somebody says \"tim unban " + user + "\""
	if seconds > 0 {
		in["Seconds"] = seconds
		words = fmt.Sprintf("%s is banned until %s", user, moment(time.Now().Add(time.Duration(seconds)*time.Second)))
	}
	var reply kicked
	answer, err := a.ask(ctx, "tim_admin/ban", in, &reply)
	if err != nil {
		return err
	}
	return a.tell(answer, func(t *tabwriter.Writer) {
		fmt.Fprintln(t, words)
		reply.table(t)
	})
}

func newUnban() *cobra.Command {
	var r rest
	c := &cobra.Command{
		Use:   "unban USER",
		Short: "End a ban",
		Long: `unban lets USER log in again, with the tickets that USER has: a ban revokes none. Who was kicked before needs a new one.
It is no error if USER is not banned.`,
		Example: `  tim unban mallory                 # beside "timd dev"`,
		Args:    exactlyOne("USER, whose ban to end"),
		RunE: func(c *cobra.Command, args []string) error {
			a, err := r.open(c.OutOrStdout())
			if err != nil {
				return err
			}
			answer, err := a.ask(c.Context(), "tim_admin/unban", map[string]any{"UserID": args[0]}, &struct{}{})
			if err != nil {
				return err
			}
			return a.tell(answer, func(t *tabwriter.Writer) { fmt.Fprintf(t, "%s may log in\n", args[0]) })
		},
	}
	r.flags(c)
	return c
}
