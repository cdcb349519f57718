package core

import "github.com/opentim/tim/codes"

// wsaCode names what Winsock said, in numbers that Go's syscall package does not map to those of Unix; codes.OK if it is none
// of the known.
func wsaCode(number uintptr) codes.Code {
	switch number {
	case 10061: // WSAECONNREFUSED
		return codes.ConnectRefused
	case 10049, 10050, 10051, 10065: // WSAEADDRNOTAVAIL, WSAENETDOWN, WSAENETUNREACH, WSAEHOSTUNREACH
		return codes.NetUnreachable
	case 10052, 10053, 10054, 10058: // WSAENETRESET, WSAECONNABORTED, WSAECONNRESET, WSAESHUTDOWN
		return codes.ResetByPeer
	case 10060: // WSAETIMEDOUT
		return codes.ConnectTimeout
	}
	return codes.OK
}
