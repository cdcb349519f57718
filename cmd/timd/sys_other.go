//go:build !unix

package main

import "io/fs"

// descriptors returns 0: there is no limit on open files to care about.
func descriptors() int { return 0 }

// isRoots returns false: there is no root.
func isRoots(fs.FileInfo) bool { return false }
