// Command go logs a user in and stays online until Ctrl-C. Beside "timd dev":
//
//	TIM_TICKET=$(go run ./cmd/tim sig make alice) go run ./examples/go
package main

import (
	"context"
	"log"
	"os"
	"os/signal"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/core"
)

func main() {
	client, err := core.Open(core.Options{
		URL:      "ws://127.0.0.1:7700",
		App:      1400000001,
		Platform: codes.PlatformLinux,
		Label:    "the Go example",
		Listener: func(e core.Event) {
			switch e.Kind {
			case codes.EventKickedOffline:
				log.Printf("kicked: %s, by %s", e.Kick.Reason, e.Kick.ByPlatform)
			default:
				log.Println(e.Kind, e.Text)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if _, err := client.Login(ctx, "alice", os.Getenv("TIM_TICKET")); err != nil {
		log.Fatal(err)
	}
	log.Println("logged in as", client.User())
	<-ctx.Done()
	if err := client.Logout(context.Background()); err != nil {
		log.Print(err)
	}
}
