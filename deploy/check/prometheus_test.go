package check

import (
	"bufio"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

var promQL = parser.NewParser(parser.Options{})

// ofOthers are metrics that Prometheus itself makes.
var ofOthers = map[string]bool{"up": true}

// metricsIn returns the names of the metrics of an expression, without what a histogram adds to its name.
func metricsIn(t *testing.T, expression string) (names []string) {
	t.Helper()
	tree, err := promQL.ParseExpr(expression)
	require.NoError(t, err, expression)
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			names = append(names, strings.TrimSuffix(v.Name, "_bucket"))
		}
		return nil
	})
	require.NotEmpty(t, names, expression)
	return names
}

func TestAlertsAndDashboardNameOnlyWhatTimdTells(t *testing.T) {
	told := metricsOfTimd(t)
	rules, errs := rulefmt.ParseFile("../prometheus/alerts.yml", false, model.UTF8Validation, promQL, slog.New(slog.DiscardHandler))
	require.Empty(t, errs)
	alerts := 0
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			alerts++
			for _, name := range metricsIn(t, r.Expr) {
				require.True(t, told[name] || ofOthers[name], "alert %s: timd has no metric %s", r.Alert, name)
			}
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
			for _, name := range metricsIn(t, strings.ReplaceAll(target.Expr, "$node", ".*")) {
				require.True(t, told[name], "panel %q: timd has no metric %s", p.Title, name)
			}
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
func metricsOfTimd(t *testing.T) map[string]bool {
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
	run(t, exec.Command(filepath.Join(dir, "nats-server"), "-a", "127.0.0.1", "-p", "-1", "-js", "-sd", filepath.Join(dir, "js"), "--ports_file_dir", dir))
	var nats struct{ Nats []string }
	require.Eventually(t, func() bool {
		files, _ := filepath.Glob(filepath.Join(dir, "nats-server_*.ports"))
		if len(files) == 0 {
			return false
		}
		text, err := os.ReadFile(files[0])
		return err == nil && json.Unmarshal(text, &nats) == nil && len(nats.Nats) > 0
	}, 20*time.Second, 20*time.Millisecond, "nats-server serves")

	said := run(t, exec.Command(timd, "serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--data-dir", filepath.Join(dir, "data"),
		"--app", "5="+filepath.Join(dir, "app.key"), "--log-format", "json", "--registry", nats.Nats[0], "--node", "a",
		"--cluster-resume-key-file", filepath.Join(dir, "resume.key"), "--webhook-url", "https://app.example.com/tim"))
	for line := range said {
		var l struct{ Msg, URL string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "metrics" {
			return scrape(t, l.URL)
		}
	}
	t.Fatal("timd does not serve metrics")
	return nil
}

func scrape(t *testing.T, url string) map[string]bool {
	t.Helper()
	res, err := http.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	names := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, _, _ := strings.Cut(rest, " ")
			names[name] = true
		}
	}
	return names
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
