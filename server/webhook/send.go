package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

const answerMax = 4 << 10 // bytes of an answer that are read

// newClient returns a client that follows no redirect: the body is for the receiver that was named.
func newClient(o Options) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext,
			TLSClientConfig:        o.TLS,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    o.Workers,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// send makes one request. An error with refused says that the receiver got the message and answered something that is not OK
// and that will hardly change; any other may be a matter of time. Errors do not show the URL, which is signed.
func (w *Webhook) send(ctx context.Context, app uint64, to Receiver, m message) (refused bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, to.Timeout)
	defer cancel()
	address, err := to.address(app, m, time.Now())
	if err != nil {
		return false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(m.body))
	if err != nil {
		return false, bare(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := w.client.Do(req)
	if err != nil {
		return false, bare(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, answerMax))
	switch code := res.StatusCode; {
	case err != nil:
		return false, bare(err)
	case code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout:
		return false, fmt.Errorf("the receiver answers HTTP %d", code)
	case code != http.StatusOK:
		return true, fmt.Errorf("the receiver answers HTTP %d and not 200", code)
	}
	err = refusal(data)
	return err != nil, err
}

// bare takes the URL out of an error.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
