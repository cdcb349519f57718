package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// A status is what every answer begins with. Clients go by ErrorCode; ErrorInfo is for people.
type status struct {
	ActionStatus string     `doc:"OK or FAIL" api:"enum=OK|FAIL"`
	ErrorInfo    string     `doc:"what is wrong and what to change, in English; empty if nothing is"`
	ErrorCode    codes.Code `doc:"0, or what is wrong"`
}

// A failure is an error that is meant for the caller. errors.Is finds its code.
type failure struct {
	code    codes.Code
	text    string
	partial bool // the reply is worth sending all the same
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.code }

func fail(code codes.Code, format string, args ...any) *failure {
	return &failure{code: code, text: fmt.Sprintf(format, args...)}
}

// A dialect is how a service says what can happen to every command.
type dialect struct {
	badJSON, badType, timeout, internal, unavailable codes.Code
}

var (
	common = dialect{codes.BadJSON, codes.InvalidRequest, codes.ServerTimeout, codes.ServerInternal, codes.ServerInternal}
	openim = dialect{codes.QueryBadJSON, codes.QueryBadAccount, codes.QueryTimeout, codes.QueryInternal, codes.QueryBackendFailed}
)

// statusOf says what an error is to the caller. What only concerns the server is not told.
func (d dialect) statusOf(err error) status {
	var bad *failure
	var refused *server.Refusal
	switch {
	case err == nil:
		return status{ActionStatus: "OK"}
	case errors.As(err, &bad):
		return failed(bad.code, bad.text)
	case errors.As(err, &refused):
		return failed(refused.Code, refused.Text)
	}
	code := d.codeOf(err)
	if code == d.unavailable && errors.Is(err, server.ErrUnavailable) {
		return failed(code, "the registry or the store cannot be reached at the moment: try again")
	}
	return failed(code, code.Text())
}

func failed(code codes.Code, text string) status {
	return status{ActionStatus: "FAIL", ErrorInfo: text, ErrorCode: code}
}

// codeOf returns the code of an error, or that of an error of ours.
func (d dialect) codeOf(err error) codes.Code {
	var code codes.Code
	switch {
	case err == nil:
		return codes.OK
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return d.timeout
	case errors.Is(err, server.ErrUnavailable):
		return d.unavailable
	case errors.As(err, &code) && code != codes.ServerInternal:
		return code
	}
	return d.internal
}

// ours reports whether an error is the server's fault rather than the caller's.
func (d dialect) ours(code codes.Code) bool {
	return code == d.timeout || code == d.internal || code == d.unavailable
}

// body returns an answer: the status, then the fields of the reply if there is one.
func (s status) body(reply any) ([]byte, error) {
	head, err := json.Marshal(s)
	if err != nil || reply == nil {
		return head, err
	}
	fields, err := json.Marshal(reply)
	if err != nil || len(fields) <= len("{}") {
		return head, err
	}
	return append(append(head[:len(head)-1], ','), fields[1:]...), nil
}
