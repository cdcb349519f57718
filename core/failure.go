package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/ws"
)

// A failure is why something did not work: a code and what is known beyond the code's text, in words.
type failure struct {
	code       codes.Code
	text       string
	retryAfter time.Duration // what the server asked for; 0 if it did not
}

// err is the failure as callers see it, such as "login alice: the connection was lost (9508): EOF".
func (f failure) err(what string) error {
	if f.text == "" || f.text == f.code.Text() {
		return fmt.Errorf("%s: %w", what, f.code)
	}
	return fmt.Errorf("%s: %w: %s", what, f.code, f.text)
}

// words is the failure in words; "" if it is none.
func (f failure) words() string {
	if f.text == "" && f.code != codes.OK {
		return f.code.Text()
	}
	return f.text
}

// dialFailure names why a connection could not be made.
func dialFailure(err error) failure {
	var d *ws.DialError
	if !errors.As(err, &d) {
		return failure{code: codes.Disconnected, text: clean(err.Error())}
	}
	return failure{code: dialCode(d), text: clean(err.Error())}
}

func dialCode(d *ws.DialError) codes.Code {
	if d.Status != 0 {
		// A portal answers for every host: with its page, or with the way to it.
		page := d.HTML && d.Status == http.StatusOK
		moved := d.Status >= 300 && d.Status < 400
		if page || moved || d.Status == http.StatusNetworkAuthenticationRequired {
			return codes.CaptivePortal
		}
		return codes.ConnectReset
	}
	if code := networkCode(d.Err); code == codes.ResetByPeer {
		return codes.ConnectReset
	} else if code != codes.Disconnected {
		if code == codes.ConnectTimeout && d.Stage == ws.Upgrading {
			return codes.AckTimeout
		}
		return code
	}
	switch d.Stage {
	case ws.Securing:
		return codes.TLSFailed
	case ws.Upgrading: // something answered, in another language
		return codes.ConnectReset
	}
	return codes.Disconnected
}

// networkCode names what the network said, codes.Disconnected if it is none of the known.
func networkCode(err error) codes.Code {
	var dns *net.DNSError
	var timeout net.Error
	var number syscall.Errno
	switch {
	case errors.As(err, &dns):
		return codes.HostNotFound
	case errors.As(err, &number) && systemCode(number) != codes.OK:
		return systemCode(number)
	case errors.Is(err, syscall.ECONNREFUSED):
		return codes.ConnectRefused
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETDOWN),
		errors.Is(err, syscall.EADDRNOTAVAIL):
		return codes.NetUnreachable
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return codes.ResetByPeer
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return codes.ConnectTimeout
	}
	return codes.Disconnected
}

// readFailure names why a connection ended, and whether its end means to stay away.
func readFailure(err error) (f failure, stop bool) {
	var closed *ws.CloseError
	var number syscall.Errno
	switch {
	case errors.As(err, &closed):
		code, known := codes.FromCloseCode(closed.Code)
		if !known {
			code = codes.Disconnected
		}
		return failure{code: code, text: clean(closed.Error())}, closed.Code >= 3500 && closed.Code <= 3999
	case errors.Is(err, codes.FrameTooLarge):
		return failure{code: codes.FrameTooLarge, text: clean(err.Error())}, false
	case errors.Is(err, codes.ParseFailed):
		return failure{code: codes.ParseFailed, text: clean(err.Error())}, false
	case errors.Is(err, syscall.ECONNRESET), errors.As(err, &number) && systemCode(number) == codes.ResetByPeer:
		return failure{code: codes.ResetByPeer, text: clean(err.Error())}, false
	}
	return failure{code: codes.Disconnected, text: clean(err.Error())}, false
}

const maxText = 512

// clean makes text that came from elsewhere fit for a host: valid UTF-8, at most 512 bytes.
func clean(text string) string { return cut(strings.ToValidUTF8(text, "\uFFFD"), maxText) }

// cut returns as many whole characters of valid text as fit into n bytes.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
