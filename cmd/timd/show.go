package main

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/opentim/tim/server/registry/nats"
	"github.com/opentim/tim/server/store/postgres"
)

func configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Print every value of the configuration and where it came from",
		Long: `Takes the flags, the environment and the file just as "timd serve" does, checks them, and prints what came out.

A flag wins over the environment, the environment over the file, and the file over the default. One value has one name in
three spellings: log.level in the file, --log-level as a flag, TIMD_LOG_LEVEL in the environment.`,
		Example: `  timd config
  timd config --config timd.yaml
  TIMD_LOG_LEVEL=debug timd config --listen :7700 --allow-insecure`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := load(c.Flags(), os.Environ())
			if err != nil {
				return err
			}
			return l.print(c.OutOrStdout())
		},
	}
	addFlags(c.Flags())
	return c
}

func (l *loaded) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	row := func(key, value string) {
		at := l.sources[key]
		if at == "" && strings.HasPrefix(key, "apps[") {
			at = cmp.Or(l.sources[key[:strings.Index(key, "]")+1]], l.sources["apps"])
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", key, cmp.Or(masked(value), "-"), cmp.Or(at, "default"))
	}
	fmt.Fprintln(t, "NAME\tVALUE\tFROM")
	for _, s := range settings {
		switch {
		case s.kind() == aList && s.key != "apps":
			row(s.key, strings.Join(l.values.Strings(s.key), ", "))
		case s.key != "apps":
			row(s.key, fmt.Sprint(l.values.Get(s.key)))
		default:
			row(s.key, fmt.Sprint(len(l.Apps)))
			for i, a := range l.Apps {
				for j, v := range []string{fmt.Sprint(a.ID), a.Name, a.KeyFile, strings.Join(a.Admins, ", "), a.Zone, strings.Join(a.AdminAllow, ", "), a.WebhookURL, a.WebhookTokenFile, unset(a.WebhookTimeout)} {
					row(fmt.Sprintf("apps[%d].%s", i, appKeys[j]), v)
				}
			}
		}
	}
	return t.Flush()
}

// unset prints a time of which zero means that it is not set.
func unset(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// masked hides the password of a URL and a key that stands where the name of its file belongs.
func masked(value string) string {
	if postgres.IsURL(value) {
		return postgres.Masked(value)
	}
	if nats.IsURL(value) {
		return nats.Masked(value)
	}
	if u, err := url.Parse(value); err == nil && u.User != nil {
		return u.Redacted()
	}
	isHex := func(r rune) bool { return strings.ContainsRune("0123456789abcdefABCDEF", r) }
	if len(value) == 64 && !slices.ContainsFunc([]rune(value), func(r rune) bool { return !isHex(r) }) {
		return "(hidden: this looks like a key, not like the name of a file)"
	}
	return value
}
