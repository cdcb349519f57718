package main

import (
	"net/http"

	"github.com/gorilla/websocket"
	"github.com/spf13/cobra"
)

// bareCommand is the baseline that costs what a WebSocket costs: gorilla behind net/http with everything left at its default,
// which echoes what it reads and knows no login. It runs as a child of rate and hold.
func bareCommand() *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:    "bare",
		Short:  "Serve a bare gorilla WebSocket that echoes; timload starts it itself",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := mustBeLoopback(listen); err != nil {
				return err
			}
			return http.ListenAndServe(listen, http.HandlerFunc(echo))
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8000", "address to serve on")
	return cmd
}

var upgrader = websocket.Upgrader{}

func echo(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	defer conn.Close()
	for {
		kind, message, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if err := conn.WriteMessage(kind, message); err != nil {
			return
		}
	}
}
