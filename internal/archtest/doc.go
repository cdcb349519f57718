// Package archtest is the import table of ARCHITECTURE.md, and some rules of the house, as tests. It holds no other code.
//
// Run it with -count=1, as ./build.sh test arch does: the test cache does not see what go list read.
package archtest
