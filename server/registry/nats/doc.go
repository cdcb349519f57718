// Package nats is the registry of a cluster: several nodes that share one NATS, whose JetStream keeps who is online where.
//
//   - A user is one key, in one of 8 memory buckets by the hash of the key. It holds all sessions of the user and changes by
//     compare-and-swap. A change begins with what the nearest replica has, which may be old: the swap finds out. Whatever is not
//     followed by a swap asks the bucket's leader, which knows every write that was acknowledged. (key.go, read.go, record.go)
//   - Nodes tell each other kicks by request and reply, and news by publishing. (messages.go)
//   - A lease is a heartbeat between the nodes and needs no bucket: a bucket has no leader for 4 to 9 s after a server died,
//     longer than a lease lives, and then all nodes would take each other for dead. (lease.go)
//   - A node knows the keys that it wrote itself. Those of a dead node are found by walking over each bucket once after its
//     death (index.go, scan.go). The nodes that live share the buckets, so that one of them walks over each; now and then they
//     do so for nothing, and notice nodes that keys name and nobody has heard of, as after a restart of all at once. (tour.go)
//
// Nothing here is on disk and nothing needs to be: the connections are the truth. When the buckets are lost, they are made
// anew (streams.go), and the nodes write their sessions back. While NATS cannot be reached, every method answers
// server.ErrUnavailable within half a second, and the connection is tried again for ever.
package nats
