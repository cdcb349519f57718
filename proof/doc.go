// Package proof breaks a real cluster and checks what everybody saw.
//
// Its tests start processes as an operator does: timd, three nats-servers and a PostgreSQL, with proxies between them that
// lose, delay and cut. Real clients (core) log in and out on any node, an administrator kicks, bans and changes settings, and
// meanwhile processes are killed with SIGKILL, networks are parted, and clocks are wrong. Everything that was asked, answered
// and told is written into a History. When all is well again, the history is checked:
//
//   - nobody has more sessions than the policy allows, and what the registry says is what the clients believe (settled.go)
//   - nobody had to leave for a login that was not newer or not in the way (victims.go)
//   - a session that ended was explained, once (explained.go)
//   - no account, daily active, ban, kick or setting was lost that was acknowledged (kept.go)
//   - logins, logouts and reads of one user happened as if one after the other (linear.go)
//
// The checks are plain functions, and are tested with histories that they must refuse. ./build.sh test proof runs the quick
// set, ./build.sh soak MINUTES goes on for longer. A test prints its seed; -proof.seed plays the same faults again, though not
// at the very same moments.
package proof
