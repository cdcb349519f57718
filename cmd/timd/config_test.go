package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// configure loads what a command line, an environment and a file say. A file of "" is no file.
func configure(t *testing.T, file string, environ []string, args ...string) (*loaded, error) {
	t.Helper()
	if file != "" {
		path := filepath.Join(t.TempDir(), "timd.yaml")
		require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
		args = append(args, "--config", path)
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	addFlags(flags)
	require.NoError(t, flags.Parse(args))
	return load(flags, environ)
}

func TestAFlagWinsOverTheEnvironmentOverTheFileOverTheDefault(t *testing.T) {
	const file = "log:\n  level: error\nlimits:\n  connections: 7\norigins: [https://file.example]\n"
	env := []string{"TIMD_LOG_LEVEL=warn", "TIMD_LIMITS_CONNECTIONS=8", "TIMD_ORIGINS=https://env.example", "PATH=/bin"}
	flags := []string{"--log-level", "debug", "--limits-connections", "9", "--origin", "https://flag.example"}
	for _, c := range []struct {
		name        string
		file        string
		env, flags  []string
		level       string
		connections int
		origins     []string
		from        string
	}{
		{"nothing", "", nil, nil, "info", 0, []string{}, ""},
		{"a file", file, nil, nil, "error", 7, []string{"https://file.example"}, "timd.yaml:2"},
		{"a file and the environment", file, env, nil, "warn", 8, []string{"https://env.example"}, "environment TIMD_LOG_LEVEL"},
		{"a file and flags", file, nil, flags, "debug", 9, []string{"https://flag.example"}, "flag --log-level"},
		{"the environment and flags", "", env, flags, "debug", 9, []string{"https://flag.example"}, "flag --log-level"},
		{"all", file, env, flags, "debug", 9, []string{"https://flag.example"}, "flag --log-level"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := configure(t, c.file, c.env, c.flags...)
			require.NoError(t, err)
			require.Equal(t, c.level, l.Log.Level)
			require.Equal(t, c.connections, l.Limits.Connections)
			require.Equal(t, c.origins, l.Origins)
			if c.from == "" {
				require.Empty(t, l.sources)
			} else {
				require.True(t, strings.HasSuffix(l.sources["log.level"], c.from), l.sources["log.level"])
			}
		})
	}
}

func TestEverySettingHasThreeSpellings(t *testing.T) {
	examples := map[string]string{
		"listen": "127.0.0.1:1", "data_dir": "/d", "node": "n", "apps": "5=/k", "tls.cert_file": "/c", "tls.key_file": "/p",
		"allow_insecure": "true", "log.format": "json", "log.level": "warn", "ping_interval": "30s", "drain_time": "1s", "grace": "3m",
		"grace_web": "4s", "sweep": "5s", "evict_rate": "6", "reconnect.min": "3s", "reconnect.max": "6m", "limits.connections": "5", "limits.logins_per_second": "2.5",
		"limits.first_frame": "3s", "limits.write_timeout": "4s", "origins": "*", "trusted_proxies": "10.0.0.0/8",
		"metrics_listen": "127.0.0.1:9100", "store": "postgres://db/tim",
		"registry": "nats://n:4222", "cluster.name": "c", "cluster.replicas": "3", "cluster.credentials_file": "/c.creds",
		"cluster.ca_file": "/ca", "cluster.cert_file": "/nc", "cluster.key_file": "/nk", "cluster.resume_key_file": "/r",
		"pprof_listen": "127.0.0.1:6060", "admin_allow": "10.1.0.0/16", "limits.address_connections": "6", "limits.address_per_second": "1.5",
		"limits.user_logins_per_second": "0.5", "limits.frames_per_second": "7",
		"webhook.url": "https://app.example/tim", "webhook.token_file": "/w", "webhook.timeout": "3s", "webhook.queue": "7",
	}
	var args, environ []string
	for _, s := range settings {
		require.Contains(t, examples, s.key, "a new setting needs an example here")
		args = append(args, "--"+flagName(s.key)+"="+examples[s.key])
		environ = append(environ, envName(s.key)+"="+examples[s.key])
	}
	byFlags, err := configure(t, "", nil, args...)
	require.NoError(t, err)
	byEnv, err := configure(t, "", environ)
	require.NoError(t, err)
	byFile, err := configure(t, `
listen: 127.0.0.1:1
data_dir: /d
node: n
apps: [{id: 5, key_file: /k}]
tls: {cert_file: /c, key_file: /p}
allow_insecure: true
log: {format: json, level: warn}
ping_interval: 30s
drain_time: 1s
grace: 3m
grace_web: 4s
sweep: 5s
evict_rate: 6
reconnect: {min: 3s, max: 6m}
limits: {connections: 5, logins_per_second: 2.5, first_frame: 3s, write_timeout: 4s, address_connections: 6, address_per_second: 1.5,
  user_logins_per_second: 0.5, frames_per_second: 7}
pprof_listen: 127.0.0.1:6060
admin_allow: [10.1.0.0/16]
origins: ["*"]
trusted_proxies: [10.0.0.0/8]
metrics_listen: 127.0.0.1:9100
store: postgres://db/tim
registry: nats://n:4222
cluster:
  {name: c, replicas: 3, credentials_file: /c.creds, ca_file: /ca, cert_file: /nc, key_file: /nk, resume_key_file: /r}
webhook: {url: https://app.example/tim, token_file: /w, timeout: 3s, queue: 7}
`, nil)
	require.NoError(t, err)
	require.Equal(t, byFile.config, byFlags.config)
	require.Equal(t, byFile.config, byEnv.config)
	require.Equal(t, 3*time.Minute, byFile.Grace)
	require.Equal(t, []appRow{{ID: 5, KeyFile: "/k"}}, byFile.Apps)
}

func TestAMistakeIsNamedWithItsPlace(t *testing.T) {
	for _, c := range []struct {
		name, file string
		env, flags []string
		want       []string
	}{
		{"a misspelt key", "\nlisten: 127.0.0.1:1\nlog:\n  levl: info\n", nil, nil, []string{`timd.yaml:4: unknown key "log.levl"; did you mean "log.level"?`}},
		{"a key of nowhere", "zzzzzzzzzzzzzzzzzzzzzzzz: 1\n", nil, nil, []string{`timd.yaml:1: unknown key`, "known are listen, "}},
		{"a webhook in the clear", "webhook:\n  url: http://app.example/tim\n", nil, nil, []string{"timd.yaml:2: webhook.url: http to app.example would show", "use https"}},
		{"a token for nobody", "webhook:\n  token_file: t\n", nil, nil, []string{"timd.yaml:2: webhook.token_file", "give webhook.url"}},
		{"a queue for nothing", "", nil, []string{"--webhook-queue=0"}, []string{"flag --webhook-queue: webhook.queue: 0 is less than 1"}},
		{"an app's webhook", "apps:\n  - id: 5\n    key_file: k\n    webhook_url: https://a:hush@b/\n    webhook_timeout: 1h\n", nil, nil,
			[]string{"timd.yaml:4: apps[0].webhook_url: a URL with a password", "timd.yaml:5: apps[0].webhook_timeout: 1h0m0s is not from 100ms to 1m"}},
		{"two mistakes", "lisen: x\nnod: y\n", nil, nil, []string{`did you mean "listen"?`, `did you mean "node"?`}},
		{"a misspelt key of an app", "apps:\n  - id: 5\n    keyfile: k\n", nil, nil, []string{`timd.yaml:3: unknown key "keyfile" of an app; did you mean "key_file"?`}},
		{"a group that is no group", "log: info\n", nil, nil, []string{"timd.yaml:1: log must hold key: value lines"}},
		{"a file that is a list", "- a\n", nil, nil, []string{"timd.yaml"}},
		{"a file that is no YAML", "\n\na: [\n", nil, nil, []string{"timd.yaml:3: this is no YAML: "}},
		{"a file with tabs", "\tnode: a\n", nil, nil, []string{"timd.yaml:1: this is no YAML: ", "not with tabs"}},
		{"a key in the place of its file", "apps:\n  - {id: 5, key: hush}\n", nil, nil, []string{`timd.yaml:2: unknown key "key" of an app; did you mean "key_file"?`}},
		{"a misspelt variable", "", []string{"TIMD_LOGLEVEL=x"}, nil, []string{`unknown variable TIMD_LOGLEVEL; did you mean "TIMD_LOG_LEVEL"?`}},
		{"a number that is none", "limits:\n  connections: many\n", nil, nil, []string{`timd.yaml:2: limits.connections: "many" is not a whole number`}},
		{"half a number", "cluster: {replicas: 1.5}\n", nil, nil, []string{`timd.yaml:1: cluster.replicas: "1.5" is not a whole number`}},
		{"a number in words", "", []string{"TIMD_LIMITS_LOGINS_PER_SECOND=few"}, nil,
			[]string{`environment TIMD_LIMITS_LOGINS_PER_SECOND: limits.logins_per_second: "few" is not a number`}},
		{"a duration that is none", "", []string{"TIMD_GRACE=long"}, nil,
			[]string{`environment TIMD_GRACE: grace: "long" is not a time with its unit, such as 30s`}},
		{"a time without unit", "grace: 5\n", nil, nil, []string{`timd.yaml:1: grace: "5" is not a time with its unit, such as 30s`}},
		{"neither true nor false", "allow_insecure: perhaps\n", []string{}, nil, []string{`timd.yaml:1: allow_insecure: "perhaps" is not true or false`}},
		{"a maybe in the environment", "", []string{"TIMD_ALLOW_INSECURE=maybe"}, nil,
			[]string{`environment TIMD_ALLOW_INSECURE: allow_insecure: "maybe" is not true or false`}},
		{"one where a list belongs", "\norigins: https://a\n", nil, nil, []string{"timd.yaml:2: origins: this is not a list, such as [a, b]"}},
		{"a list where one belongs", "node: [a, b]\n", nil, nil, []string{"timd.yaml:1: node: this is not a single value"}},
		{"a list of lists", "origins:\n  - [https://a]\n", nil, nil, []string{"timd.yaml:1: origins: line 2 is not a single value"}},
		{"an app's id that is none", "apps:\n  - id: five\n    key_file: k\n", nil, nil, []string{`timd.yaml:2: apps[0].id: "five" is not a whole number`}},
		{"a key twice", "node: a\n\nnode: b\n", nil, nil, []string{"timd.yaml:3: node is there twice, first in line 1"}},
		{"a group twice", "log: {level: info}\nlog: {format: text}\n", nil, nil, []string{"timd.yaml:2: log is there twice, first in line 1"}},
		{"an app's key twice", "apps:\n  - id: 5\n    id: 6\n    key_file: k\n", nil, nil, []string{"timd.yaml:3: apps[0].id is there twice, first in line 2"}},
		{"apps that are no list", "apps: 5\n", nil, nil, []string{"timd.yaml:1: apps must be a list, each with id, name, key_file"}},
		{"profiles for the network", "", nil, []string{"--pprof-listen", ":6060"}, []string{"flag --pprof-listen", "is no address of this machine"}},
		{"administrators from nowhere", "apps:\n  - {id: 5, key_file: k, admin_allow: [office]}\n", nil, nil,
			[]string{`timd.yaml:2: apps[0].admin_allow: "office" is neither an address nor a prefix`}},
		{"administrators of all apps from nowhere", "", nil, []string{"--admin-allow", "office"}, []string{"flag --admin-allow: admin_allow:"}},
		{"a limit below zero", "limits:\n  user_logins_per_second: -1\n", nil, nil, []string{"timd.yaml:2: limits.user_logins_per_second: -1 is no number from 0 on"}},
		{"a limit that is no number", "limits: {logins_per_second: .nan}\n", nil, nil, []string{"timd.yaml:1: limits.logins_per_second: NaN is no number"}},
		{"a limit without end", "", nil, []string{"--limits-address-per-second", "inf"}, []string{"flag --limits-address-per-second", "+Inf is no number"}},
		{"no frames at all", "", nil, []string{"--limits-frames-per-second=0"}, []string{"limits.frames_per_second: 0 is less than 1"}},
		{"a level that is none", "", nil, []string{"--log-level", "loud"}, []string{`flag --log-level: log.level: "loud" is none of debug, info, warn, error`}},
		{"a format that is none", "log: {format: xml}\n", nil, nil, []string{`timd.yaml:1: log.format: "xml" is neither text nor json`}},
		{"a time out of range", "", nil, []string{"--ping-interval", "1s"}, []string{"flag --ping-interval: ping_interval: 1s is not from 11s to 1h0m0s"}},
		{"a certificate without key", "", nil, []string{"--tls-cert-file", "c"}, []string{"belong together"}},
		{"a registry that is no NATS", "", nil, []string{"--registry", "redis://u:hush@r"}, []string{"flag --registry: registry: the URL must be nats://"}},
		{"a cluster without a common key", "", nil, []string{"--registry", "nats://n"}, []string{"flag --registry: registry: it needs cluster.resume_key_file, the same on all nodes; make it with"}},
		{"two copies", "registry: nats://n\ncluster: {replicas: 2}\n", nil, nil, []string{"2 replicas: must be 1, 3 or 5"}},
		{"an app without key", "apps:\n  - id: 5\n", nil, nil, []string{"timd.yaml:2: apps[0]: key_file is missing"}},
		{"an app below zero", "apps:\n  - {id: -5, key_file: k}\n", nil, nil, []string{"timd.yaml:2: apps[0].id: -5 is no SDKAppID"}},
		{"no folder for data", "data_dir: \"\"\n", nil, nil, []string{"timd.yaml:1: data_dir: it is empty"}},
		{"a name of many lines", "", []string{"TIMD_NODE=a\nb"}, nil, []string{"environment TIMD_NODE: node: a name has at most 128 printable characters"}},
		{"an app twice", "", nil, []string{"--app", "5=a", "--app", "5=b"}, []string{"flag --app", "5 is there twice"}},
		{"an app without id", "", nil, []string{"--app", "key"}, []string{`flag --app: "key" is no app: write ID=KEYFILE`}},
		{"an admin that is no userID", "apps:\n  - {id: 5, key_file: k, admins: [\"a\\nb\"]}\n", nil, nil, []string{"timd.yaml:2: apps[0].admins:"}},
		{"a zone that is none", "apps:\n  - {id: 5, key_file: k, zone: Mars}\n", nil, nil, []string{`timd.yaml:2: apps[0].zone: "Mars" is no time zone`}},
		{"an origin with a path", "", nil, []string{"--origin", "https://a/b"}, []string{`flag --origin: origins: "https://a/b" is no origin`}},
		{"a proxy that is none", "", nil, []string{"--trusted-proxy", "local"}, []string{"flag --trusted-proxy", "neither an address nor a prefix"}},
		{"a store that is no URL", "", nil, []string{"--store", "tim.db"}, []string{"flag --store: store:", "it is no URL such as postgres://"}},
		{"a store with a parameter that is none", "", []string{"TIMD_STORE=postgres://tim:hush@db/tim?sslmode=no"}, nil,
			[]string{"environment TIMD_STORE: store: postgres://tim:xxxxx@db/tim?sslmode=no: its parameters: sslmode is invalid"}},
		{"a port that is none", "", nil, []string{"--metrics-listen", "9100"}, []string{"flag --metrics-listen", "missing port"}},
		{"an address without port", "", nil, []string{"--listen", "127.0.0.1"}, []string{"flag --listen", "missing port"}},
		{"the open network without TLS", "", nil, []string{"--listen", ":7700"}, []string{"refusing to serve in the clear", "--tls-cert-file", "--allow-insecure"}},
		{"a name without TLS", "", nil, []string{"--listen", "tim.example:7700"}, []string{"refusing"}},
		{"a file that is not there", "", []string{"TIMD_CONFIG=/nowhere.yaml"}, nil, []string{"/nowhere.yaml"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := configure(t, c.file, c.env, c.flags...)
			require.Error(t, err)
			for _, want := range c.want {
				require.Contains(t, err.Error(), want)
			}
		})
	}
}

func TestTheNameOfAKeyFileMayHaveCommas(t *testing.T) {
	for text, want := range map[string][]string{
		"5=/k":                  {"5=/k"},
		"5=/k,6=/l":             {"5=/k", "6=/l"},
		"5=/k, 6=/l 7=/m":       {"5=/k", "6=/l", "7=/m"},
		"5=/a,b/c d.key":        {"5=/a,b/c d.key"},
		"5=/a,b.key,6=/a b.key": {"5=/a,b.key", "6=/a b.key"},
		`5=/a",b`:               {`5=/a",b`},
	} {
		for _, args := range []struct{ env, flags []string }{{env: []string{"TIMD_APPS=" + text}}, {flags: []string{"--app", text}}} {
			l, err := configure(t, "", args.env, args.flags...)
			require.NoError(t, err)
			var got []string
			for _, a := range l.Apps {
				got = append(got, fmt.Sprintf("%d=%s", a.ID, a.KeyFile))
			}
			require.Equal(t, want, got)
		}
	}
}

func TestListsMayBePartedByCommas(t *testing.T) {
	l, err := configure(t, "", []string{"TIMD_TRUSTED_PROXIES=10.0.0.1 10.0.0.2"}, "--origin", "https://a,https://b", "--origin", "https://c")
	require.NoError(t, err)
	require.Equal(t, []string{"https://a", "https://b", "https://c"}, l.Origins)
	require.Equal(t, []string{"10.0.0.1", "10.0.0.2"}, l.TrustedProxies)
}

func TestWhereTLSIsNotNeeded(t *testing.T) {
	for _, args := range [][]string{
		{"--listen", "127.0.0.1:1"}, {"--listen", "localhost:1"}, {"--listen", "[::1]:1"}, {"--listen", "127.9.9.9:1"},
		{"--listen", ":1", "--allow-insecure"}, {"--listen", ":1", "--tls-cert-file", "c", "--tls-key-file", "k"},
	} {
		_, err := configure(t, "", nil, args...)
		require.NoError(t, err, args)
	}
}

func TestConfigPrintsEachValueAndItsPlace(t *testing.T) {
	const key = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"
	l, err := configure(t, "apps:\n  - id: 5\n    key_file: a.key\n    admins: [root]\n  - id: 6\n    key_file: "+key+"\nnode: http://me:secret@x\n",
		[]string{"TIMD_GRACE=3m"}, "--origin", "https://a", "--origin", "https://b")
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, l.print(&b))
	lines := map[string]string{}
	for line := range strings.Lines(b.String()) {
		fields := strings.Fields(line)
		lines[fields[0]] = strings.Join(fields[1:], " ")
	}
	require.Equal(t, "127.0.0.1:7700 default", lines["listen"])
	require.Equal(t, "3m environment TIMD_GRACE", lines["grace"])
	require.Equal(t, "https://a, https://b flag --origin", lines["origins"])
	require.Regexp(t, `^a.key .*timd.yaml:3$`, lines["apps[0].key_file"])
	require.Regexp(t, `^root .*timd.yaml:4$`, lines["apps[0].admins"])
	require.Contains(t, lines["apps[1].key_file"], "hidden")
	require.NotContains(t, b.String(), key)
	require.NotContains(t, b.String(), "secret")
	for _, s := range settings {
		require.Contains(t, lines, s.key)
	}
}

func TestWhoMayReadASecret(t *testing.T) {
	for _, c := range []struct {
		mode        os.FileMode
		own, ofRoot bool // too open
	}{
		{0o600, false, false}, {0o400, false, false}, {0o640, true, false}, {0o440, true, false},
		{0o644, true, true}, {0o660, true, true}, {0o604, true, true}, {0o620, true, true}, {0o610, true, true},
	} {
		require.Equal(t, c.own, tooOpen(c.mode, false), "%o of one's own", c.mode)
		require.Equal(t, c.ofRoot, tooOpen(c.mode, true), "%o of root", c.mode)
	}
}

func TestAPasswordInAFileThatOthersCanReadIsTold(t *testing.T) {
	for _, c := range []struct {
		store string
		mode  os.FileMode
		want  string
	}{
		{"postgres://tim:hush@db/tim", 0o644, "timd.yaml:1: store: others can read the secret in "},
		{"postgres://tim:hush@db/tim", 0o600, ""},
		{"postgres://tim@db/tim", 0o644, ""},
	} {
		path := filepath.Join(t.TempDir(), "timd.yaml")
		require.NoError(t, os.WriteFile(path, []byte("store: "+c.store+"\n"), c.mode))
		l, err := configure(t, "", nil, "--config", path)
		require.NoError(t, err)
		told := errors.Join(l.exposed()...)
		if c.want == "" {
			require.NoError(t, told)
			continue
		}
		require.ErrorContains(t, told, c.want)
		require.NotContains(t, told.Error(), "hush")
	}
	l, err := configure(t, "node: a\n", []string{"TIMD_STORE=postgres://tim:hush@db/tim"})
	require.NoError(t, err)
	require.Empty(t, l.exposed(), "it is in the environment")
}

func TestASecretIsKeptFromOthers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "app.key")
	made, err := secret(path)
	require.NoError(t, err)
	require.Len(t, made, 1)
	require.Len(t, made[0], 64)
	again, err := secret(path)
	require.NoError(t, err)
	require.Equal(t, made, again, "a key is made once")

	require.NoError(t, os.WriteFile(path, []byte("# newest first\nnew\n\n  old  \n"), 0o600))
	lines, err := readSecret(path)
	require.NoError(t, err)
	require.Equal(t, []string{"new", "old"}, lines)

	require.NoError(t, os.WriteFile(path, []byte("# nothing\n"), 0o600))
	_, err = readSecret(path)
	require.ErrorContains(t, err, "no key")

	require.NoError(t, os.Chmod(path, 0o640))
	_, err = readSecret(path)
	require.ErrorContains(t, err, "chmod 600 "+path)
	_, err = secret(path)
	require.Error(t, err, "an open key is not replaced either")
}
