package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opentim/tim/codes"
)

func exactlyOne(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return fmt.Errorf("%s takes exactly one argument: %s; see %s --help", c.CommandPath(), what, c.CommandPath())
	}
}

func none(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%s takes no argument such as %q; see %s --help", c.CommandPath(), args[0], c.CommandPath())
}

// group makes a command that only has others below it. A name that is none of them is a mistake, not a wish for help.
func group(c *cobra.Command, below ...*cobra.Command) *cobra.Command {
	c.AddCommand(below...)
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		var names []string
		for _, b := range below {
			names = append(names, b.Name())
		}
		slices.Sort(names)
		return fmt.Errorf("there is no %s %s: choose %s", c.CommandPath(), args[0], strings.Join(names, ", "))
	}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	return c
}

// limits is a flag: how many devices of a platform, as web=5, several parted by commas.
type limits map[string]int

func (l limits) String() string { return "" }
func (l limits) Type() string   { return "platform=number" }

func (l limits) Set(text string) error {
	for one := range strings.SplitSeq(text, ",") {
		name, number, _ := strings.Cut(one, "=")
		n, err := strconv.Atoi(number)
		if err != nil {
			return fmt.Errorf("write a platform and a number, such as web=5")
		}
		if _, ok := codes.ParsePlatform(name); !ok {
			return fmt.Errorf("choose ios, ipad, android, windows, mac, linux or web")
		}
		l[name] = n
	}
	return nil
}
