package conformance

import (
	"fmt"
	"strings"
)

// table is docs/conformance.md. A build in which a cell fails is red, so every cell says yes, or why not.
func table(all []scenario, drivers []driver) string {
	var out strings.Builder
	out.WriteString("<!-- Written by \"go test ./conformance -run Table -update\" from spec/scenarios. DO NOT EDIT. -->\n")
	out.WriteString("# What every binding does alike\n\n")
	out.WriteString("Each row is a story in spec/scenarios, told over a real connection to each of the bindings in the columns. Every one\n")
	out.WriteString("passes on every driver, or the build is red. conformance/README.md says how to add to it.\n\n")
	fmt.Fprintf(&out, "%d scenarios × %d drivers, %d runs.\n\n", len(all), len(drivers), runs(all, drivers))
	out.WriteString("| scenario | what happens |")
	for _, d := range drivers {
		out.WriteString(" " + d.name + " |")
	}
	out.WriteString("\n|---|---|" + strings.Repeat("---|", len(drivers)) + "\n")
	for _, s := range all {
		fmt.Fprintf(&out, "| [%s](../spec/scenarios/%s.txt) | %s |", s.name, s.name, s.title)
		for _, d := range drivers {
			if why, not := s.not[d.name]; not {
				out.WriteString(" no: " + why + " |")
			} else {
				out.WriteString(" yes |")
			}
		}
		out.WriteString("\n")
	}
	return out.String()
}

func runs(all []scenario, drivers []driver) (n int) {
	for _, s := range all {
		for _, d := range drivers {
			if _, not := s.not[d.name]; !not {
				n++
			}
		}
	}
	return n
}
