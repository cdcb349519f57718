// Package webhook tells an app's backend what becomes of its users' sessions: Tencent's State.StateChange callback, with a
// revision and the user's whole session set. Webhook is a server.Observer.
//
// A change goes into a bounded buffer in memory, from there in batches to a bounded queue on disk, and from there to the
// receiver: one request at a time for a user, several users at a time. It leaves the disk when the receiver has said OK, so
// that each comes at least once, also after the process was killed. Nothing that a receiver does or leaves undone slows a
// login: what does not fit is dropped and counted.
//
// Read webhook.go first, then buffer.go, queue.go, receiver.go and message.go in the order in which a change meets them.
package webhook
