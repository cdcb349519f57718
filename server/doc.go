// Package server keeps users signed in: it verifies tickets, decides which of a user's devices may be online together,
// tells the others why they had to leave, and brings sessions back whose connection was lost.
//
// Sessions is the service; a program makes one for each node with New. Connections come from a gateway, which implements
// Conn and calls Login or Resume, then Lost when the connection is gone. Between the two it may call Renew and Logout. Who
// is online where is kept in a Registry, what must survive in a Store; both have implementations in subpackages and suites
// (registrytest, storetest) that say what they promise.
//
//	sessions, err := server.New(ctx, server.Options{
//		Node: "node-1.5f3a", Apps: apps, Registry: memory.Open(), Store: store, ResumeKeys: keys,
//	})
//
// Read rule.go first: who has to leave is one pure function. admit.go applies it to a user's key, within one
// compare-and-swap for a login, a resume, and a session that is written back. arrive.go makes that swap and what follows
// from it; kick.go tells those who had to leave; held.go knows which connection holds what. lost.go, expiry.go, restore.go
// and sweep.go care for what goes wrong or ends; policy.go and admin.go are what operators do. observe.go is what a webhook is
// told; inherit.go and recheck.go are about what an earlier start of a node that is alone left behind.
//
// The user's key in the registry is the truth. What nodes tell each other are hints: each of them may get lost, and the
// sweep finds what it was about within a minute.
package server
