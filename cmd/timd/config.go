package main

import (
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// A config is what can be set. One value has one name in three spellings: log.level in the file, --log-level as a flag,
// TIMD_LOG_LEVEL in the environment.
type config struct {
	Listen        string   `koanf:"listen"`
	DataDir       string   `koanf:"data_dir"`
	Store         string   `koanf:"store"`
	Registry      string   `koanf:"registry"`
	Node          string   `koanf:"node"`
	AllowInsecure bool     `koanf:"allow_insecure"`
	Apps          []appRow `koanf:"apps"`
	MetricsListen string   `koanf:"metrics_listen"`
	PprofListen   string   `koanf:"pprof_listen"`
	AdminAllow    []string `koanf:"admin_allow"`

	Cluster struct {
		Name            string `koanf:"name"`
		Replicas        int    `koanf:"replicas"`
		CredentialsFile string `koanf:"credentials_file"`
		CAFile          string `koanf:"ca_file"`
		CertFile        string `koanf:"cert_file"`
		KeyFile         string `koanf:"key_file"`
		ResumeKeyFile   string `koanf:"resume_key_file"`
	} `koanf:"cluster"`
	TLS struct {
		CertFile string `koanf:"cert_file"`
		KeyFile  string `koanf:"key_file"`
	} `koanf:"tls"`
	Webhook struct {
		URL       string        `koanf:"url"`
		TokenFile string        `koanf:"token_file"`
		Timeout   time.Duration `koanf:"timeout"`
		Queue     int           `koanf:"queue"`
	} `koanf:"webhook"`
	Log struct {
		Format string `koanf:"format"`
		Level  string `koanf:"level"`
	} `koanf:"log"`

	PingInterval time.Duration `koanf:"ping_interval"`
	DrainTime    time.Duration `koanf:"drain_time"`
	Grace        time.Duration `koanf:"grace"`
	GraceWeb     time.Duration `koanf:"grace_web"`
	Sweep        time.Duration `koanf:"sweep"`
	EvictRate    int           `koanf:"evict_rate"`
	Reconnect    struct {
		Min time.Duration `koanf:"min"`
		Max time.Duration `koanf:"max"`
	} `koanf:"reconnect"`
	Limits struct {
		Connections     int     `koanf:"connections"`
		LoginsPerSecond float64 `koanf:"logins_per_second"`

		AddressConnections  int     `koanf:"address_connections"`
		AddressPerSecond    float64 `koanf:"address_per_second"`
		UserLoginsPerSecond float64 `koanf:"user_logins_per_second"`
		FramesPerSecond     int     `koanf:"frames_per_second"`

		FirstFrame   time.Duration `koanf:"first_frame"`
		WriteTimeout time.Duration `koanf:"write_timeout"`
	} `koanf:"limits"`

	Origins        []string `koanf:"origins"`
	TrustedProxies []string `koanf:"trusted_proxies"`
}

// An appRow is an app as it is configured.
type appRow struct {
	ID      uint64   `koanf:"id"`
	Name    string   `koanf:"name"`
	KeyFile string   `koanf:"key_file"`
	Admins  []string `koanf:"admins"`
	Zone    string   `koanf:"zone"`

	AdminAllow []string `koanf:"admin_allow"`

	WebhookURL       string        `koanf:"webhook_url"`
	WebhookTokenFile string        `koanf:"webhook_token_file"`
	WebhookTimeout   time.Duration `koanf:"webhook_timeout"`
}

// A setting is one value of the config: its default, whose type is that of the flag, and what it means.
type setting struct {
	key      string
	fallback any
	usage    string
}

var settings = []setting{
	{"listen", "127.0.0.1:7700", "`address` to listen on"},
	{"data_dir", "tim-data", "`directory` for the accounts and the keys that the server makes for itself"},
	{"store", "", "`URL` of a PostgreSQL database for the accounts, which nodes may share, as in postgres://tim@db/tim; empty means a file in the data directory"},
	{"registry", "", "`URL` of the NATS servers through which nodes are one cluster, as in nats://a:4222,nats://b:4222; empty means that this node is alone"},
	{"cluster.name", "tim", "`name` that tells clusters apart that share one NATS"},
	{"cluster.replicas", 1, "`number` of NATS servers that keep each copy of who is online: 1, 3 or 5; 3 survives the death of one"},
	{"cluster.credentials_file", "", "`file` with the credentials of a NATS user"},
	{"cluster.ca_file", "", "PEM `file` with the authorities that NATS's certificates come from; empty means the system's"},
	{"cluster.cert_file", "", "PEM `file` with this node's certificate for NATS"},
	{"cluster.key_file", "", "PEM `file` with that certificate's key"},
	{"cluster.resume_key_file", "", "`file` with the keys of resume tickets, the same on all nodes; needed with a registry"},
	{"node", "", "this node's `name` in a cluster and in logs; empty means the host's name"},
	{"apps", []string{}, "an app that this server serves, as `ID=KEYFILE`; repeat for more, or list them in the file"},
	{"tls.cert_file", "", "PEM `file` with the certificate chain; read again when it changes"},
	{"tls.key_file", "", "PEM `file` with the certificate's key"},
	{"allow_insecure", false, "serve beyond this machine without TLS, as behind a proxy that does TLS"},
	{"webhook.url", "", "`URL` that is told when users log in, log out or are disconnected, for apps without one of their own; empty means nobody is told"},
	{"webhook.token_file", "", "`file` with the token that signs those requests; empty means that they are not signed"},
	{"webhook.timeout", "2s", "`time` for one such request"},
	{"webhook.queue", 100_000, "most changes of an app that may wait on disk for its webhook, a `number`; the oldest are dropped for new ones"},
	{"metrics_listen", "", "`address` on which Prometheus finds /metrics, for your own network only; empty means nowhere"},
	{"pprof_listen", "", "`address` of this machine at which go tool pprof finds /debug/pprof/; empty means nowhere"},
	{"admin_allow", []string{}, "`address` or prefix from which the REST API may be called, for apps without a list of their own; repeat for more; none means from anywhere"},
	{"log.format", "text", "`format` of the log: text or json"},
	{"log.level", "info", "`level` of the log: debug, info, warn or error"},
	{"ping_interval", "25s", "`time` between pings, at least 11s"},
	{"drain_time", "5s", "`time` over which clients are sent away when the server stops"},
	{"grace", "2m0s", "`time` for which a lost session may come back before it is released"},
	{"grace_web", "1m0s", "the same `time` for web sessions"},
	{"sweep", "50s", "`time` between two comparisons of what this node holds with the registry, at most 1m"},
	{"evict_rate", 500, "most users per second who lose sessions after an app's settings became stricter, a `number`"},
	{"reconnect.min", "2s", "least `time` over which clients are told to spread when they come back"},
	{"reconnect.max", "5m0s", "longest such `time`"},
	{"limits.connections", 0, "most connections, a `number`; 0 means what the limit on open files allows"},
	{"limits.logins_per_second", 0.0, "most logins and resumes per second, a `number`; 0 means as many as this machine is measured to manage"},
	{"limits.address_connections", 10_000, "most connections of one client address at a time, a `number`; an IPv6 network of 64 bits counts as one, this machine is not limited; 0 means as many as come"},
	{"limits.address_per_second", 500.0, "most connections that one client address may open per second, and ten times as many at once, a `number`; 0 means as many as come"},
	{"limits.user_logins_per_second", 5.0, "most logins and resumes of one user per second, and ten times as many at once, a `number`; 0 means as many as come, such as for a benchmark with one user"},
	{"limits.frames_per_second", 20, "most frames of one client per second, over ten seconds, a `number`"},
	{"limits.first_frame", "10s", "`time` for each step until a login is asked for"},
	{"limits.write_timeout", "5s", "`time` after which a client that does not read is dropped"},
	{"origins", []string{}, "web `origin` from which browsers may connect, such as https://app.example.com; * for all; repeat for more"},
	{"trusted_proxies", []string{}, "`address` or prefix of a proxy whose X-Forwarded-For is believed; repeat for more"},
}

// appKeys are the keys of an entry of apps.
var appKeys = []string{"id", "name", "key_file", "admins", "zone", "admin_allow", "webhook_url", "webhook_token_file", "webhook_timeout"}

func settingKeys() []string {
	keys := make([]string, len(settings))
	for i, s := range settings {
		keys[i] = s.key
	}
	return keys
}

// flagName returns the flag of a setting: a list is given one by one.
func flagName(key string) string {
	switch key {
	case "apps":
		return "app"
	case "origins":
		return "origin"
	case "trusted_proxies":
		return "trusted-proxy"
	}
	return strings.NewReplacer(".", "-", "_", "-").Replace(key)
}

func envName(key string) string {
	return "TIMD_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// addFlags gives fs a flag for each setting, and --config.
func addFlags(fs *pflag.FlagSet) {
	fs.SortFlags = false
	fs.String("config", "", "YAML `file` with the configuration (TIMD_CONFIG)")
	for _, s := range settings {
		switch v := s.fallback.(type) {
		case bool:
			fs.Bool(flagName(s.key), v, s.usage)
		case int:
			fs.Int(flagName(s.key), v, s.usage)
		case float64:
			fs.Float64(flagName(s.key), v, s.usage)
		case []string:
			fs.StringArray(flagName(s.key), v, s.usage)
		case string:
			fs.String(flagName(s.key), v, s.usage)
		}
	}
}
