//go:build !windows

package core

import (
	"syscall"

	"github.com/opentim/tim/codes"
)

// systemCode names errors that only this system has: none.
func systemCode(syscall.Errno) codes.Code { return codes.OK }
