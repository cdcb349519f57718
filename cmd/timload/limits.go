package main

import "fmt"

// descriptorsKept is how many of a process's descriptors are left for everything that is not one of the connections.
const descriptorsKept = 1000

// cutToLimit returns how many of n connections fit into a process that may open limit files, and a sentence about it if
// that is fewer. Client and server are separate processes with the same limit. Nothing is raised to make more fit.
func cutToLimit(n int, limit uint64) (int, string) {
	room := 0
	if limit > descriptorsKept {
		room = int(min(limit-descriptorsKept, 1<<30))
	}
	if n <= room {
		return n, ""
	}
	return room, fmt.Sprintf("cut %d connections to %d: a process may open %d files here (ulimit -n), %d are kept for the rest",
		n, room, limit, descriptorsKept)
}
