package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

func newDAU() *cobra.Command {
	var r rest
	var from, to string
	c := &cobra.Command{
		Use:   "dau",
		Short: "Count the users who logged in, by day",
		Long: `dau counts the users who logged in, or came back on another day: on a day, in the 7 days that end with it, and in the 30. The counts are exact, over all
servers, and days are those of the app's time zone. Without flags it is about today.`,
		Example: `  tim dau                           # beside "timd dev"
  tim dau --from 2026-11-01 --to 2026-11-30
  tim dau --json | jq '.Days[0].DAU'`,
		Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			a, err := r.open(c.OutOrStdout())
			if err != nil {
				return err
			}
			return a.dau(c.Context(), from, to)
		},
	}
	r.flags(c)
	c.Flags().StringVar(&from, "from", "", "first day, such as 2026-11-01; today unless given")
	c.Flags().StringVar(&to, "to", "", "last day, at most 31 days in all; --from unless given")
	return c
}

func (a *asker) dau(ctx context.Context, from, to string) error {
	in := map[string]any{}
	for name, day := range map[string]string{"From": from, "To": to} {
		if day == "" {
			continue
		}
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return fmt.Errorf("--%s %q is no day, such as %s", strings.ToLower(name), day, time.Now().Format(time.DateOnly))
		}
		in[name] = day
	}
	var reply struct {
		Zone string
		Days []struct {
			Day           string
			DAU, WAU, MAU int64
		}
	}
	answer, err := a.ask(ctx, "tim_admin/get_dau", in, &reply)
	if err != nil {
		return err
	}
	return a.tell(answer, func(t *tabwriter.Writer) {
		fmt.Fprintf(t, "DAY (%s)\tUSERS\tIN 7 DAYS\tIN 30 DAYS\n", reply.Zone)
		for _, d := range reply.Days {
			fmt.Fprintf(t, "%s\t%d\t%d\t%d\n", d.Day, d.DAU, d.WAU, d.MAU)
		}
	})
}
