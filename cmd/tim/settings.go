package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/opentim/tim/codes"
)

// policyWords says what a policy means.
var policyWords = map[codes.Policy]string{
	codes.PolicySingle: "one device in all",
	codes.PolicyDual:   "one phone, tablet or computer, and the web",
	codes.PolicyTriple: "one phone or tablet, one computer, and the web",
	codes.PolicyMulti:  "every platform at once",
}

func newSettings() *cobra.Command {
	c := &cobra.Command{
		Use:   "settings",
		Short: "Show and change who may be online together",
		Long:  settingsHelp(),
		Example: `  tim settings show
  tim settings simulate --policy single      # who would be kicked?
  tim settings set --policy triple --limit web=5
  tim settings history`,
	}
	return group(c, newSettingsShow(), newSettingsSet(), newSettingsSimulate(), newSettingsHistory())
}

func settingsHelp() string {
	var b strings.Builder
	b.WriteString("Login settings say which devices of one user may be online together. The policy says which platforms:\n\n")
	for _, p := range codes.Policies() {
		fmt.Fprintf(&b, "  %-8s%s\n", p, policyWords[p])
	}
	b.WriteString(`
A limit says how many devices of one platform: web 1 to 10, others 1 to 3. Whoever logs in last stays; the others are kicked.
A change is in force on every server within 2 seconds, and kicks who has to leave by it at a steady pace.`)
	return b.String()
}

// A loginSettings is what the server says of them.
type loginSettings struct {
	Policy      string
	Limits      map[string]int
	Version     int64
	ChangedBy   string
	ChangedAtMs int64
	History     []loginSettings
}

func newSettingsShow() *cobra.Command {
	var r rest
	c := &cobra.Command{
		Use: "show", Short: "Print the present settings", Args: none,
		Long:    "show prints the settings that are in force, their version and who set them.",
		Example: "  tim settings show                 # beside \"timd dev\"\n  tim settings show --json",
		RunE: func(c *cobra.Command, _ []string) error {
			return r.settings(c.Context(), c.OutOrStdout(), "tim_admin/get_login_settings", map[string]any{})
		},
	}
	r.flags(c)
	return c
}

// settings asks for settings, or for a change of them, and prints those that are in force then.
func (r *rest) settings(ctx context.Context, out io.Writer, command string, in map[string]any) error {
	a, err := r.open(out)
	if err != nil {
		return err
	}
	var s loginSettings
	answer, err := a.ask(ctx, command, in, &s)
	if err != nil {
		return err
	}
	return a.tell(answer, func(t *tabwriter.Writer) {
		policy, _ := codes.ParsePolicy(s.Policy)
		fmt.Fprintf(t, "policy\t%s: %s\nlimits\t%s\nversion\t%s\n", s.Policy, policyWords[policy], s.limits(), s.version())
	})
}

func (s loginSettings) limits() string {
	var more []string
	for _, p := range codes.Platforms() {
		if n := s.Limits[p.String()]; n > 1 {
			more = append(more, fmt.Sprintf("%s %d", p, n))
		}
	}
	if len(more) == 0 {
		return "1 device of each platform"
	}
	return strings.Join(more, ", ") + "; 1 of each other platform"
}

func (s loginSettings) version() string {
	if s.Version == 0 {
		return "0: the defaults, never changed"
	}
	return fmt.Sprintf("%d, by %s, %s", s.Version, printable(s.ChangedBy), ago(s.ChangedAtMs))
}

// A change is what flags say about the settings.
type change struct {
	policy string
	limits limits
}

func (w *change) flags(c *cobra.Command) {
	c.Flags().StringVar(&w.policy, "policy", "", "single, dual, triple or multi")
	w.limits = limits{}
	c.Flags().Var(w.limits, "limit", "how many devices of a platform, such as web=5; repeat for more")
}

func (w *change) request() (map[string]any, error) {
	in := map[string]any{}
	if w.policy != "" {
		if _, ok := codes.ParsePolicy(w.policy); !ok {
			return nil, fmt.Errorf("--policy %q: choose single, dual, triple or multi", w.policy)
		}
		in["Policy"] = strings.ToLower(w.policy)
	}
	if len(w.limits) > 0 {
		in["Limits"] = w.limits
	}
	if len(in) == 0 {
		return nil, errors.New("nothing to change: give --policy or --limit")
	}
	return in, nil
}

func newSettingsSet() *cobra.Command {
	var r rest
	var w change
	var version int64
	c := &cobra.Command{
		Use: "set", Short: "Change the settings, on every server", Args: none,
		Long: `set changes what its flags name and leaves the rest. Devices that have to leave are kicked at a steady pace: ask
"tim settings simulate" first who that would be.

With --version it changes nothing if somebody else has changed the settings since you looked.`,
		Example: "  tim settings set --policy triple --limit web=5 --limit ios=2\n  tim settings set --policy single --version 3",
		RunE: func(c *cobra.Command, _ []string) error {
			in, err := w.request()
			if err != nil {
				return err
			}
			if c.Flags().Changed("version") {
				in["Version"] = version
			}
			return r.settings(c.Context(), c.OutOrStdout(), "tim_admin/set_login_settings", in)
		},
	}
	r.flags(c)
	w.flags(c)
	c.Flags().Int64Var(&version, "version", 0, "the version that is changed, as \"tim settings show\" prints it")
	return c
}

func newSettingsSimulate() *cobra.Command {
	var r rest
	var w change
	c := &cobra.Command{
		Use: "simulate", Short: "Say who would be kicked, and change nothing", Args: none,
		Long:    "simulate applies a change to everybody who is online now, on paper, and counts who would have to leave and why.",
		Example: "  tim settings simulate --policy single\n  tim settings simulate --limit web=1 --json",
		RunE: func(c *cobra.Command, _ []string) error {
			in, err := w.request()
			if err != nil {
				return err
			}
			a, err := r.open(c.OutOrStdout())
			if err != nil {
				return err
			}
			return a.simulate(c.Context(), in)
		},
	}
	r.flags(c)
	w.flags(c)
	return c
}

func (a *asker) simulate(ctx context.Context, in map[string]any) error {
	var reply struct {
		Users, Sessions, Affected int
		Kicked                    map[string]int
	}
	answer, err := a.ask(ctx, "tim_admin/simulate", in, &reply)
	if err != nil {
		return err
	}
	return a.tell(answer, func(t *tabwriter.Writer) {
		fmt.Fprintf(t, "%d of %d users would lose a session; nothing was changed\n", reply.Affected, reply.Users)
		total := 0
		for _, reason := range slices.Sorted(maps.Keys(reply.Kicked)) {
			fmt.Fprintf(t, "  %s\t%d\n", printable(reason), reply.Kicked[reason])
			total += reply.Kicked[reason]
		}
		fmt.Fprintf(t, "%d of %d sessions would end\n", total, reply.Sessions)
	})
}

func newSettingsHistory() *cobra.Command {
	var r rest
	var most int
	c := &cobra.Command{
		Use: "history", Short: "List the changes, newest first", Args: none,
		Long:    "history lists the versions of the settings, newest first, with who set them and when.",
		Example: "  tim settings history\n  tim settings history -n 3 --json",
		RunE: func(c *cobra.Command, _ []string) error {
			if most < 1 || most > 100 {
				return fmt.Errorf("--number %d: choose 1 to 100", most)
			}
			a, err := r.open(c.OutOrStdout())
			if err != nil {
				return err
			}
			return a.history(c.Context(), most)
		},
	}
	r.flags(c)
	c.Flags().IntVarP(&most, "number", "n", 20, "how many, at most 100")
	return c
}

func (a *asker) history(ctx context.Context, most int) error {
	var s loginSettings
	answer, err := a.ask(ctx, "tim_admin/get_login_settings", map[string]any{"History": most}, &s)
	if err != nil {
		return err
	}
	return a.tell(answer, func(t *tabwriter.Writer) {
		if len(s.History) == 0 {
			fmt.Fprintln(t, "the settings were never changed")
			return
		}
		fmt.Fprintln(t, "VERSION\tPOLICY\tLIMITS\tBY\tWHEN")
		for _, v := range s.History {
			fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\n", v.Version, v.Policy, v.limits(), printable(v.ChangedBy), ago(v.ChangedAtMs))
		}
	})
}
