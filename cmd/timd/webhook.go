package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/webhook"
)

const webhookFile = "webhook.db" // in the data directory

func (l *loaded) checkWebhook(bad func(key, format string, args ...any), urlKey, tokenKey, url, tokenFile string) {
	switch {
	case url == "" && tokenFile != "":
		bad(tokenKey, "there is a token and no URL to use it for: give %s", urlKey)
	case url != "":
		if err := webhook.CheckURL(url, l.AllowInsecure); err != nil {
			bad(urlKey, "%v", err)
		}
	}
}

// receivers returns where the changes of each app go. An app with a URL of its own has its own token, too.
func (l *loaded) receivers() (map[uint64]webhook.Receiver, error) {
	all := map[uint64]webhook.Receiver{}
	for i, a := range l.Apps {
		r := webhook.Receiver{URL: a.WebhookURL, Timeout: cmp.Or(a.WebhookTimeout, l.Webhook.Timeout)}
		file, key := a.WebhookTokenFile, fmt.Sprintf("apps[%d].webhook_token_file", i)
		if r.URL == "" {
			r.URL, file, key = l.Webhook.URL, l.Webhook.TokenFile, "webhook.token_file"
		}
		if r.URL == "" {
			continue
		}
		if file != "" {
			lines, err := readSecret(file)
			if err != nil {
				return nil, l.wrong(key, err.Error())
			}
			r.Token = lines[0]
		}
		all[a.ID] = r
	}
	return all, nil
}

// openWebhook returns nil if no app has one.
func (l *loaded) openWebhook(ctx context.Context, log *slog.Logger) (*webhook.Webhook, error) {
	receivers, err := l.receivers()
	if err != nil || len(receivers) == 0 {
		return nil, err
	}
	return webhook.Open(ctx, webhook.Options{
		Path: filepath.Join(l.DataDir, webhookFile), Receivers: receivers, Queue: l.Webhook.Queue, Remember: l.Registry == "",
		AllowInsecure: l.AllowInsecure, Logger: log,
	})
}

// observer is what the sessions tell of changes.
func (n *node) observer() server.Observer {
	if n.webhook == nil {
		return nil
	}
	return n.webhook
}

func (n *node) measureWebhook() {
	if n.webhook == nil {
		return
	}
	stats := n.webhook.Stats
	n.metrics.Gauge("tim_webhook_waiting", "Changes on disk that the receivers have not taken.", func() float64 { return float64(stats().Waiting) })
	n.metrics.Counter("tim_webhook_delivered_total", "Changes that the receivers have taken since the start.", func() uint64 { return stats().Delivered })
	n.metrics.Counter("tim_webhook_failed_total", "Requests that went wrong since the start.", func() uint64 { return stats().Failed })
	n.metrics.Counter("tim_webhook_dropped_total", "Changes that were given up since the start.", func() uint64 { return stats().Dropped })
}
