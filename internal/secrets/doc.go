// Package secrets is a test: real servers and clients live through everything a ticket can live through, all that they write
// is collected, and tickets, keys, tokens and passwords are searched for in it, in every spelling that a program might give them.
//
// hoard_test.go is the search and what shows that it finds something; stage_test.go runs and collects; story_test.go is what happens.
package secrets
