// Command centrifuge is a baseline for cmd/timload: the centrifuge library as a server that lets a client connect with a JWT
// (HS256). It is a module of its own so that tim's go.mod stays free of it.
//
// Usage: centrifuge -listen 127.0.0.1:PORT, with the signing key in CENTRIFUGE_KEY.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/golang-jwt/jwt/v5"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "address to serve /connection/websocket on")
	flag.Parse()
	if err := serve(*listen, []byte(os.Getenv("CENTRIFUGE_KEY"))); err != nil {
		fmt.Fprintln(os.Stderr, "centrifuge:", err)
		os.Exit(1)
	}
}

func serve(listen string, key []byte) error {
	if len(key) == 0 {
		return fmt.Errorf("CENTRIFUGE_KEY is empty")
	}
	node, err := centrifuge.New(centrifuge.Config{LogLevel: centrifuge.LogLevelNone})
	if err != nil {
		return err
	}
	keyOf := func(*jwt.Token) (any, error) { return key, nil }
	node.OnConnecting(func(_ context.Context, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		var claims jwt.RegisteredClaims
		if _, err := jwt.ParseWithClaims(e.Token, &claims, keyOf, jwt.WithValidMethods([]string{"HS256"})); err != nil {
			return centrifuge.ConnectReply{}, centrifuge.DisconnectInvalidToken
		}
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: claims.Subject}}, nil
	})
	node.OnConnect(func(*centrifuge.Client) {})
	if err := node.Run(); err != nil {
		return err
	}
	// The library at its best: small pooled buffers, and no ping while a test runs.
	http.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		CheckOrigin:        func(*http.Request) bool { return true },
		ReadBufferSize:     1024,
		UseWriteBufferPool: true,
		PingPongConfig:     centrifuge.PingPongConfig{PingInterval: 10 * time.Minute, PongTimeout: 8 * time.Second},
	}))
	return http.ListenAndServe(listen, nil)
}
