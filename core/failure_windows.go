package core

import (
	"syscall"

	"github.com/opentim/tim/codes"
)

func systemCode(number syscall.Errno) codes.Code { return wsaCode(uintptr(number)) }
