//go:build race

package usersig

const raceDetector = true
