//go:build unix

package main

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
)

// What stands in front of a timd, or is taken for that.

func TestANewCertificateIsServedWithoutARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key, 1)
	p, _ := startServe(t, dir, "tls: {cert_file: "+cert+", key_file: "+key+"}\n")
	address, ok := strings.CutPrefix(strings.TrimSuffix(p.Endpoint, "/tim"), "wss://")
	require.True(t, ok, p.Endpoint)
	serial := func() int64 {
		c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) // it is signed by itself
		require.NoError(t, err)
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	require.EqualValues(t, 1, serial())
	writeCertificate(t, cert, key, 2)
	require.Eventually(t, func() bool { return serial() == 2 }, recheck+patience, 200*time.Millisecond)
}

func TestAProxyThatIsTrustedSaysWhoCalls(t *testing.T) {
	root := signedAgo(t, "root", 0)
	for _, tt := range []struct {
		name, yaml, forwarded string
		want                  codes.Code
	}{
		{"the office, through the proxy", "trusted_proxies: [127.0.0.0/8]\n", "192.0.2.1", codes.OK},
		{"somebody else, through the proxy", "trusted_proxies: [127.0.0.0/8]\n", "192.0.2.2", codes.AddressForbidden},
		{"somebody who claims to be the office, through the proxy", "trusted_proxies: [127.0.0.0/8]\n", "192.0.2.1, 192.0.2.2", codes.AddressForbidden},
		{"a proxy that nobody trusts", "", "192.0.2.1", codes.AddressForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, _ := startServe(t, t.TempDir(), "admin_allow: [192.0.2.1]\n"+tt.yaml)
			url := strings.Replace(strings.TrimSuffix(p.Endpoint, "/tim"), "ws://", "http://", 1)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
				url+"/v4/tim_admin/get_login_settings?sdkappid=5&identifier=root&random=1&usersig="+root, strings.NewReader(`{}`))
			require.NoError(t, err)
			request.Header.Set("X-Forwarded-For", tt.forwarded)
			res, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			var status struct{ ErrorCode codes.Code }
			require.NoError(t, json.Unmarshal(body, &status), "%s", body)
			require.Equal(t, tt.want, status.ErrorCode, "%s", body)
		})
	}
}
