// Package baddays holds what happens to real clients and a real timd when the network, the machine or the configuration
// between them is bad. Each day is a test that measures when the app was told the truth, and how long it took to recover;
// docs/bad-days.md is the table. The client is libtim in a process of its own, driven as in conformance.
//
// Days that need a link of their own run in two network namespaces with a link of ours between them, which loses, delays
// and holds packets; that takes root. The others run over loopback, through a fault proxy. What runs and what was made ends with
// the test, also when that is killed.
//
// Every day says in which order the app is told what, and is held to the times that the design allows (stage_test.go). What a
// busy machine adds is measured beside it (pulse_test.go), and a day on a machine that is far behind is skipped where it fails;
// not so what must hold at any speed (rules_test.go).
//
// A quick run shortens what a day waits for: go test ./baddays. The whole of it, and the table: ./build.sh bad-days.
package baddays
