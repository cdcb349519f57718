// Package server keeps users signed in: it verifies tickets, decides which of a user's devices may be online together,
// tells the others why they had to leave, and brings sessions back whose connection was lost.
//
// Sessions is the service; a program makes one for each node with New. Connections come from a gateway, which implements
// Conn and calls Login or Resume, then Lost when the connection is gone. Between the two it may call Renew and Logout. Who is
// online where is kept in a Registry, what must survive in a Store; both have implementations in subpackages and suites
// (registrytest, storetest) that say what they promise.
//
//	sessions, err := server.New(ctx, server.Options{
//		Node: "node-1.5f3a", Apps: apps, Registry: memory.NewCluster().Open(), Store: store, ResumeKeys: keys,
//	})
//
// Read rule.go first: who has to leave is one pure function. login.go and resume.go call it within one compare-and-swap
// of the user's key; kick.go tells those who had to leave; lost.go and sweep.go care for what went wrong meanwhile.
package server
