// Package gateway is the WebSocket face of the server: it accepts connections, reads the frames of internal/wire from them
// and asks server.Sessions what to answer.
//
// One connection costs little while nothing happens on it. accept.go reads its request without net/http, conn.go answers
// its first frames in the goroutine that accepted it, and then it is parked (park_linux.go): no goroutine and no buffer. Bytes
// that arrive wake it for as long as there are frames. Elsewhere than on Linux a goroutine waits.
//
// The life of a connection:
//
//	waiting ──login, resume──▶ answering ──accepted──▶ online
//	   ▲ │                         │                      │
//	   │ └─late, wrong─▶ closing ◀─┼─logout, kick, drain──┤      closing: the close frame is out, the client hangs up
//	   └──────refused──────────────┘                      │
//	                     closed ◀──── lost, from anywhere ┘
//
// admission.go bounds what the node takes, addresses.go what one client address and one connection may do; Stats tells how often
// that mattered.
//
// A second goroutine never waits for a client: whoever has to tell it something from outside (a kick, a ping) starts a
// goroutine that gives up after WriteTimeout.
package gateway
