package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// A goal is what a figure's median has to reach.
type goal struct {
	figure  string
	atLeast bool // else at most
	limit   float64
}

func (g goal) met(value float64) bool {
	if g.atLeast {
		return value >= g.limit
	}
	return value <= g.limit // NaN meets neither
}

func (g goal) String() string {
	if g.atLeast {
		return "≥ " + number(g.limit)
	}
	return "≤ " + number(g.limit)
}

func atLeast(figure string, limit float64) goal { return goal{figure, true, limit} }
func atMost(figure string, limit float64) goal  { return goal{figure, false, limit} }

// changeGoals returns goals with the limits that settings ("figure=limit") name instead of their own.
func changeGoals(goals []goal, settings []string) ([]goal, error) {
	changed := slices.Clone(goals)
	for _, s := range settings {
		name, text, _ := strings.Cut(s, "=")
		limit, err := strconv.ParseFloat(text, 64)
		i := slices.IndexFunc(changed, func(g goal) bool { return g.figure == name })
		if err != nil || i < 0 {
			return nil, fmt.Errorf("--goal %s: it takes figure=number, where figure is one of %s", s, figureNames(goals))
		}
		changed[i].limit = limit
	}
	return changed, nil
}

func figureNames(goals []goal) string {
	names := make([]string, len(goals))
	for i, g := range goals {
		names[i] = g.figure
	}
	return strings.Join(names, ", ")
}

// A figure is one number of every round.
type figure struct {
	name, unit string
	values     []float64
}

// A report writes JSON lines for programs to out and says the rest to people on log.
type report struct {
	out, log io.Writer
	goals    []goal
	figures  []*figure
}

// say writes a line for people.
func (r *report) say(format string, args ...any) { fmt.Fprintf(r.log, format+"\n", args...) }

// line writes v as one line of JSON.
func (r *report) line(v any) error { return json.NewEncoder(r.out).Encode(v) }

// add notes this round's value of a figure. Figures keep the order in which they first came.
func (r *report) add(name, unit string, value float64) {
	i := slices.IndexFunc(r.figures, func(f *figure) bool { return f.name == name })
	if i < 0 {
		i = len(r.figures)
		r.figures = append(r.figures, &figure{name: name, unit: unit})
	}
	r.figures[i].values = append(r.figures[i].values, value)
}

// A summary is the last line of JSON: a figure over all rounds.
type summary struct {
	Event   string         `json:"event"` // "summary"
	Load    string         `json:"load_average"`
	Figures []figureOfRuns `json:"figures"`
	Missed  []string       `json:"missed"`
}

type figureOfRuns struct {
	Name string `json:"name"`
	Unit string `json:"unit,omitempty"`
	spread
	Rounds int    `json:"rounds"`
	Goal   string `json:"goal,omitempty"`
	Met    *bool  `json:"met,omitempty"`
}

var errMissed = errors.New("a goal was missed")

// finish writes the summary and the table. With check, it returns errMissed if a goal was missed. A goal whose figure was not
// taken counts as missed.
func (r *report) finish(check bool) error {
	s := summary{Event: "summary", Load: loadAverage(), Missed: []string{}}
	for _, f := range r.figures {
		s.Figures = append(s.Figures, r.sum(f))
	}
	for _, g := range r.goals {
		i := slices.IndexFunc(s.Figures, func(f figureOfRuns) bool { return f.Name == g.figure })
		if i < 0 || !*s.Figures[i].Met {
			s.Missed = append(s.Missed, g.figure)
		}
	}
	if err := r.line(s); err != nil {
		return err
	}
	if err := r.table(s); err != nil {
		return err
	}
	if check && len(s.Missed) > 0 {
		return fmt.Errorf("%w: %s", errMissed, strings.Join(s.Missed, ", "))
	}
	return nil
}

func (r *report) sum(f *figure) figureOfRuns {
	// JSON has no NaN, which a ratio to nothing is; a missing goal says as much.
	finite := slices.DeleteFunc(slices.Clone(f.values), math.IsNaN)
	sum := figureOfRuns{Name: f.name, Unit: f.unit, spread: spreadOf(finite), Rounds: len(finite)}
	if i := slices.IndexFunc(r.goals, func(g goal) bool { return g.figure == f.name }); i >= 0 {
		met := len(finite) > 0 && r.goals[i].met(sum.Median)
		sum.Goal, sum.Met = r.goals[i].String(), &met
	}
	return sum
}

func (r *report) table(s summary) error {
	t := tabwriter.NewWriter(r.log, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\nfigure\tmedian\t[min–max]\tunit\tgoal\t\n")
	for _, f := range s.Figures {
		verdict := ""
		if f.Met != nil {
			verdict = map[bool]string{true: "met", false: "MISSED"}[*f.Met]
		}
		fmt.Fprintf(t, "%s\t%s\t[%s–%s]\t%s\t%s\t%s\n", f.Name, number(f.Median), number(f.Min), number(f.Max), f.Unit, f.Goal, verdict)
	}
	return t.Flush()
}

// number writes a figure with as many digits as it deserves.
func number(v float64) string {
	switch size := math.Abs(v); {
	case v == math.Trunc(v) && size < 1e15:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case size >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case size >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}
