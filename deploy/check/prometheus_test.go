package check

import (
	"bufio"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

var promQL = parser.NewParser(parser.Options{})

// A told is what is exposed: the labels of each metric.
type told map[string]map[string]bool

// ofPrometheus are the metric and the labels that Prometheus itself makes.
var ofPrometheus = told{"up": {}}
var labelsOfPrometheus = []string{"instance", "job", "le"}

// check requires that an expression names only metrics, and labels of them, that are told.
func (told told) check(t *testing.T, who, expression string) {
	t.Helper()
	tree, err := promQL.ParseExpr(expression)
	require.NoError(t, err, "%s: %s", who, expression)
	labels, grouped := map[string]bool{}, []string{}
	metrics := 0
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.AggregateExpr:
			grouped = append(grouped, n.Grouping...)
		case *parser.VectorSelector:
			metrics++
			name := strings.TrimSuffix(n.Name, "_bucket")
			require.True(t, told[name] != nil || ofPrometheus[name] != nil, "%s: timd has no metric %s", who, name)
			maps.Copy(labels, told[name])
			for _, m := range n.LabelMatchers {
				require.True(t, m.Name == "__name__" || told[name][m.Name] || slices.Contains(labelsOfPrometheus, m.Name),
					"%s: %s has no label %s", who, name, m.Name)
			}
		}
		return nil
	})
	require.Positive(t, metrics, expression)
	for _, label := range grouped {
		require.True(t, labels[label] || slices.Contains(labelsOfPrometheus, label), "%s: nothing in %s has the label %s", who, expression, label)
	}
}

func TestAlertsAndDashboardNameOnlyWhatTimdTells(t *testing.T) {
	told := metricsOfTimd(t)
	rules, errs := rulefmt.ParseFile("../prometheus/alerts.yml", false, model.UTF8Validation, promQL, slog.New(slog.DiscardHandler))
	require.Empty(t, errs)
	alerts := 0
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			alerts++
			told.check(t, "alert "+r.Alert, r.Expr)
			require.Contains(t, []string{"page", "ticket"}, r.Labels["severity"], r.Alert)
			require.NotEmpty(t, r.Annotations["action"], "%s says what to do", r.Alert)
		}
	}
	require.Greater(t, alerts, 5)

	data, err := os.ReadFile("../grafana/dashboard.json")
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			ID      int
			Type    string
			Title   string
			Targets []struct{ Expr string }
			GridPos struct{ X, Y, W, H int }
		}
	}
	require.NoError(t, json.Unmarshal(data, &dashboard))
	ids := map[int]bool{}
	for _, p := range dashboard.Panels {
		require.False(t, ids[p.ID], "two panels %d", p.ID)
		ids[p.ID] = true
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		require.True(t, p.Type == "row" || len(p.Targets) > 0, p.Title)
		for _, target := range p.Targets {
			told.check(t, "panel "+p.Title, strings.ReplaceAll(target.Expr, "$node", ".*"))
		}
	}
	// What timd tells beside the runtime of Go is on the dashboard or in an alert.
	text, err := os.ReadFile("../prometheus/alerts.yml")
	require.NoError(t, err)
	for name := range told {
		if strings.HasPrefix(name, "tim_") && !unshown[name] {
			require.True(t, strings.Contains(string(data), name) || strings.Contains(string(text), name), "nobody looks at %s", name)
		}
	}
}

// unshown are metrics for those who look for something.
var unshown = map[string]bool{
	"tim_build_info": true, "tim_renewals_total": true, "tim_rest_seconds": true, "tim_webhook_delivered_total": true,
}

// metricsOfTimd starts a node of a cluster, with a webhook, and asks for its metrics. Those with labels that nothing has happened to
// yet are told by their help only.
func metricsOfTimd(t *testing.T) told {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"app.key", "resume.key"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("a key that is long enough\n"), 0o600))
	}
	timd := filepath.Join(dir, "timd")
	for program, path := range map[string]string{timd: "./cmd/timd", filepath.Join(dir, "nats-server"): "github.com/nats-io/nats-server/v2"} {
		cmd := exec.Command("go", "build", "-o", program, path)
		cmd.Dir = "../.."
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	said := run(t, exec.Command(timd, "serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--data-dir", filepath.Join(dir, "data"),
		"--app", "5="+filepath.Join(dir, "app.key"), "--log-format", "json", "--registry", startNATS(t, dir), "--node", "a",
		"--cluster-resume-key-file", filepath.Join(dir, "resume.key"), "--webhook-url", "https://app.example.com/tim"))
	var log []string
	for line := range said {
		var l struct{ Msg, URL string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "metrics" {
			return scrape(t, l.URL)
		}
		log = append(log, line)
	}
	t.Fatalf("timd ended and served no metrics:\n%s", strings.Join(log, "\n"))
	return nil
}

// startNATS starts the nats-server of dir and returns its address.
func startNATS(t *testing.T, dir string) string {
	t.Helper()
	said := run(t, exec.Command(filepath.Join(dir, "nats-server"), "-a", "127.0.0.1", "-p", "-1", "-js", "-sd", filepath.Join(dir, "js"), "--ports_file_dir", dir))
	var log []string
	for {
		select {
		case line, more := <-said:
			require.True(t, more, "nats-server ended:\n%s", strings.Join(log, "\n"))
			log = append(log, line)
		case <-time.After(20 * time.Millisecond):
		}
		files, err := filepath.Glob(filepath.Join(dir, "nats-server_*.ports"))
		require.NoError(t, err)
		for _, file := range files {
			var ports struct{ Nats []string }
			if text, err := os.ReadFile(file); err == nil && json.Unmarshal(text, &ports) == nil && len(ports.Nats) > 0 {
				return ports.Nats[0]
			}
		}
	}
}

// scrape reads metrics, which promtool has to like.
func scrape(t *testing.T, url string) told {
	t.Helper()
	res, err := http.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	promtool(t, strings.NewReader(string(text)), "check", "metrics")
	told := told{}
	last := ""
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			last, _, _ = strings.Cut(rest, " ")
			told[last] = map[string]bool{}
		} else if !strings.HasPrefix(line, "#") {
			for _, label := range labelName.FindAllStringSubmatch(line, -1) {
				told[last][label[1]] = true
			}
		}
	}
	return told
}

var labelName = regexp.MustCompile(`[{,](\w+)="`)

func TestEachAlertFiresOnWhatItIsForAndOnNothingElse(t *testing.T) {
	promtool(t, nil, "check", "config", "../prometheus/prometheus.yml")
	promtool(t, nil, "test", "rules", "../prometheus/alerts_test.yml")
	stories, err := os.ReadFile("../prometheus/alerts_test.yml")
	require.NoError(t, err)
	rules, errs := rulefmt.ParseFile("../prometheus/alerts.yml", false, model.UTF8Validation, promQL, slog.New(slog.DiscardHandler))
	require.Empty(t, errs)
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			require.Contains(t, string(stories), `alertname="`+r.Alert+`", alertstate="firing"`, "no story makes it fire")
		}
	}
}

// promtool runs Prometheus's own tool.
func promtool(t *testing.T, stdin io.Reader, args ...string) {
	t.Helper()
	tool, err := exec.LookPath("promtool")
	require.NoError(t, err, "it is in Debian's package prometheus")
	cmd := exec.Command(tool, args...)
	cmd.Stdin = stdin
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// run starts a program, which ends with the test, and returns what it says, line by line.
func run(t *testing.T, cmd *exec.Cmd) <-chan string {
	t.Helper()
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := make(chan string, 10_000)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return lines
}
