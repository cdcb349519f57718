package usersig_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/usersig"
)

func ExampleSign() {
	// In your backend, for a user who has proved to you who they are.
	ticket, err := usersig.Sign(1400000000, "the key of this app", "alice", 24*time.Hour)
	if err != nil {
		fmt.Println("no ticket:", err)
		return
	}
	fmt.Println(len(ticket), "characters for the app to log in with")
	// Output: 236 characters for the app to log in with
}

func ExampleVerifier_Verify() {
	verifier := usersig.NewVerifier(1400000000, "the key of this app")
	ticket, _ := usersig.Sign(1400000000, "the key of this app", "alice", 24*time.Hour)

	proof, err := verifier.Verify(ticket, "alice", time.Now())
	fmt.Println(proof.UserID, proof.Expires.Sub(proof.Issued), err)

	_, err = verifier.Verify(ticket, "bob", time.Now())
	fmt.Println(errors.Is(err, codes.TicketUserMismatch), err)
	// Output:
	// alice 24h0m0s <nil>
	// true the ticket was signed for user "alice", not "bob": the ticket belongs to another userID (70013)
}

func ExampleExplain() {
	signed := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ticket, _ := usersig.Ticket{
		App: 1400000000, UserID: "alice", Issued: signed, Expires: signed.Add(time.Hour),
	}.Sign("the key of this app")

	now := time.Date(2026, 3, 1, 16, 12, 0, 0, time.UTC)
	fmt.Println(usersig.Explain(ticket, 1400000000, "alice", "the key of this app", now))
	// Output:
	// refused: the ticket is expired (70001)
	//   - it expired 3 h 12 m ago by this machine's clock (2026-03-01 16:12:00 UTC)
	//   SDKAppID  1400000000
	//   user      "alice"
	//   issued    2026-03-01 12:00:00 UTC (4 h 12 m ago)
	//   expires   2026-03-01 13:00:00 UTC (3 h 12 m ago)
	//   key       fits
	//   text      236 characters
}

func ExamplePrivateMapKey() {
	now := time.Now()
	ticket := usersig.Ticket{App: 1400000000, UserID: "alice", Issued: now, Expires: now.Add(5 * time.Minute)}
	room := usersig.Room{ID: 10000, May: usersig.CanEnter | usersig.CanReceiveAudio | usersig.CanReceiveVideo}

	var err error
	ticket.UserBuf, err = usersig.PrivateMapKey(ticket.App, ticket.UserID, ticket.Expires, room)
	if err != nil {
		fmt.Println("no permission:", err)
		return
	}
	key, err := ticket.Sign("the key of this app")
	fmt.Println(len(key), err)
	// Output: 312 <nil>
}
