// Package core keeps one user signed in.
//
// Open returns a Client, which does nothing until Login. From then on it holds a connection to the server, comes back by
// itself when it is lost, renews the ticket, and tells the Listener what happens, one Event at a time, in order. It stops
// when the application logs out, or when the server ends the session: because the user signed in elsewhere, an
// administrator said so, or the ticket ended. It never logs in again by itself after that.
//
// # Calls
//
// Login, Logout and Renew block; StartLogin, StartLogout and StartRenew call back. Both may be used from any goroutine, also
// from the Listener and from a callback. An error is a codes.Code, wrapped with what was going on:
//
//	if errors.Is(err, codes.TicketExpired) { … }
//
// A result is delivered after the events that led to it, so a Login that has returned never sees an older state. A blocking
// call made from the Listener itself is the exception: it returns while later events wait for the Listener to return. A
// Listener that waits for another goroutine's blocking call waits for ever, because that call waits for the Listener.
//
// # Goroutines
//
// A Client is one table of transitions (machine.go; drawn in docs/states.md) and a mutex. Whoever has news for it, a caller, a
// timer or the goroutine that reads the connection, takes the step that follows from it; a step takes microseconds and never
// waits. What takes time runs in goroutines that come and go: one dials, one reads, one delivers events and results. A client
// that is signed in and quiet has one goroutine, one that is not signed in has none.
//
// A panic in tim's own code closes the client: its pending calls end with codes.Internal, EventClosed says so, and the program
// lives on. A panic in a function that the host gave to Options is the host's and is not caught.
package core
