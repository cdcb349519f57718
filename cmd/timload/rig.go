package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A test is one of timload's subcommands.
type test struct {
	name, short, long, example string

	rounds int // how many, unless --rounds says otherwise
	goals  []goal
	flags  func(f *pflag.FlagSet) // defines the test's own flags
	valid  func() error           // says what is wrong with them
	run    func(ctx context.Context, r *rig) error
}

// A rig is what a running test stands on: its report, the servers it started, and a directory that goes away with it.
type rig struct {
	*report
	family *family
	dir    string
	timd   string // the program
	rounds int
}

func (t test) command() *cobra.Command {
	var o rigOptions
	cmd := &cobra.Command{Use: t.name, Short: t.short, Long: t.long, Example: t.example, Args: cobra.NoArgs}
	f := cmd.Flags()
	f.SortFlags = false
	t.flags(f)
	f.IntVar(&o.rounds, "rounds", t.rounds, "rounds to measure (1 to 100)")
	f.StringArrayVar(&o.goals, "goal", nil, "another limit for a goal, as `figure=limit`")
	f.BoolVar(&o.check, "check", false, "exit with 2 if a goal is missed")
	f.StringVar(&o.timd, "timd", "", "a timd to test instead of building the one in the sources here")
	cmd.Long += "\n\nGoals, for the median of all rounds:\n" + listGoals(t.goals)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := errors.Join(within("rounds", o.rounds, 1, 100), t.valid()); err != nil {
			return err
		}
		goals, err := changeGoals(t.goals, o.goals)
		if err != nil {
			return err
		}
		return t.stage(cmd, o, goals)
	}
	return cmd
}

type rigOptions struct {
	rounds int
	goals  []string
	check  bool
	timd   string
}

func listGoals(goals []goal) string {
	list := ""
	for _, g := range goals {
		list += fmt.Sprintf("  %-24s %s\n", g.figure, g)
	}
	return list
}

// stage builds the rig, runs the test on it, reports, and leaves nothing behind.
func (t test) stage(cmd *cobra.Command, o rigOptions, goals []goal) error {
	dir, err := os.MkdirTemp("", "timload-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r := &rig{
		report: &report{out: cmd.OutOrStdout(), log: cmd.ErrOrStderr(), goals: goals},
		family: &family{},
		dir:    dir,
		timd:   o.timd,
		rounds: o.rounds,
	}
	ctx := cmd.Context()
	// Whoever waits for an answer of a server stops waiting when the server is gone.
	defer context.AfterFunc(ctx, r.family.killAll)()
	defer r.family.killAll()

	if err := r.buildTimd(ctx); err != nil {
		return err
	}
	m := thisMachine(commandLine(cmd))
	if err := r.line(m); err != nil {
		return err
	}
	r.say("%s: %d × %s, %d MB, Linux %s, %s, load %s", m.Time, m.Cores, m.CPU, m.MemoryMB, m.Kernel, m.Go, m.Load)
	if err := t.run(ctx, r); err != nil {
		return err
	}
	return r.finish(o.check)
}

// commandLine returns the command with the flags that were given.
func commandLine(cmd *cobra.Command) string {
	line := cmd.CommandPath()
	cmd.Flags().Visit(func(f *pflag.Flag) { line += fmt.Sprintf(" --%s=%s", f.Name, f.Value) })
	return line
}

func (r *rig) buildTimd(ctx context.Context) error {
	if r.timd != "" {
		return nil
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	r.say("building cmd/timd")
	r.timd = filepath.Join(r.dir, "timd")
	return goBuild(ctx, root, r.timd, "./cmd/timd")
}

// within returns an error if a flag's value is out of its bounds.
func within[T cmp.Ordered](flag string, value, low, high T) error {
	if value < low || value > high {
		return fmt.Errorf("--%s %v: it takes %v to %v", flag, value, low, high)
	}
	return nil
}

// cut cuts n connections to what fits, and says so.
func (r *rig) cut(n int) int {
	n, why := cutToLimit(n, descriptorLimit())
	if why != "" {
		r.say("%s", why)
	}
	return n
}
