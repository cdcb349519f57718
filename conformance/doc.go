// Package conformance checks that tim behaves the same in every language. It runs the stories in spec/scenarios against a
// driver for each binding, and plays the server over real connections. README.md says how to add a story or a driver.
//
// A story is read by scenario.go, told by run.go, and compared in transcript.go; server.go and conn.go are the server,
// frames.go the words for its frames, app.go the driver's process.
package conformance
