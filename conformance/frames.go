package conformance

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// words says what a frame from a client holds: its kind, then key=value for each field that is not zero.
func words(f wire.Frame) []string {
	v := reflect.ValueOf(f).Elem()
	all := []string{strings.ToLower(v.Type().Name())}
	for i := range v.NumField() {
		name, value := v.Type().Field(i).Name, v.Field(i)
		if value.IsZero() || name == "Request" || name == "Version" {
			continue
		}
		format := "%s=%v"
		if value.Kind() == reflect.Slice {
			format = "%s=%s"
		}
		all = append(all, fmt.Sprintf(format, strings.ToLower(name), value.Interface()))
	}
	return all
}

// matches reports whether a frame is the one that was expected: of the same kind, with at least the fields named. A field
// that is expected to be empty, as reconnect=, must be absent.
func matches(want, got []string) bool {
	if len(want) == 0 || want[0] != got[0] {
		return false
	}
	return !slices.ContainsFunc(want[1:], func(field string) bool {
		if key, empty := strings.CutSuffix(field, "="); empty {
			return slices.ContainsFunc(got, func(g string) bool { return strings.HasPrefix(g, key+"=") })
		}
		return !slices.Contains(got[1:], field)
	})
}

// fields are the key=value words after a frame's kind. The first word that makes no sense is kept as the error.
type fields struct {
	values map[string]string
	now    time.Time // by the server's clock
	err    error
}

func newFields(args []string, now time.Time) *fields {
	f := &fields{values: map[string]string{}, now: now}
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if !ok {
			f.err = fmt.Errorf("%q is not key=value", arg)
		}
		f.values[key] = value
	}
	return f
}

func (f *fields) take(key, otherwise string) string {
	value, ok := f.values[key]
	delete(f.values, key)
	if !ok {
		return otherwise
	}
	return value
}

func (f *fields) number(key string, otherwise uint64) uint64 {
	n, err := strconv.ParseUint(f.take(key, strconv.FormatUint(otherwise, 10)), 10, 64)
	f.note(err)
	return n
}

func (f *fields) millis(key, otherwise string) int64 {
	d, err := time.ParseDuration(f.take(key, otherwise))
	f.note(err)
	return d.Milliseconds()
}

// moment reads "now", "1h" from now, or a number of Unix milliseconds.
func (f *fields) moment(key, otherwise string) int64 {
	text := f.take(key, otherwise)
	if text == "now" {
		return f.now.UnixMilli()
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return ms
	}
	d, err := time.ParseDuration(text)
	f.note(err)
	return f.now.Add(d).UnixMilli()
}

func (f *fields) note(err error) {
	if f.err == nil {
		f.err = err
	}
}

// named finds the value called name among those of an enumeration. Absent is zero.
func named[T fmt.Stringer](f *fields, key string, all ...T) (v T) {
	name := f.take(key, "")
	for _, one := range all {
		if one.String() == name {
			return one
		}
	}
	if name != "" {
		f.note(fmt.Errorf("%s: there is no %q", key, name))
	}
	return v
}

func (f *fields) code(otherwise string) codes.Code {
	name := f.take("code", otherwise)
	for _, c := range codes.All() {
		if c.Name() == name {
			return c
		}
	}
	n, err := strconv.Atoi(name) // one that this version does not know
	f.note(err)
	return codes.Code(n)
}

func (f *fields) platform() codes.Platform { return named(f, "by", codes.Platforms()...) }

func (f *fields) reason() codes.KickReason {
	return named(f, "reason", codes.KickMultipleAccount, codes.KickMultipleDevice, codes.KickRESTAPI, codes.KickReplaced, codes.KickAccountDeleted)
}

// frame is what the server says. request is the number of the request heard last, n counts logins and resumes accepted.
func frame(args []string, now time.Time, request, n uint64) (frame wire.Frame, err error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("the server says nothing")
	}
	f := newFields(args[1:], now)
	defer func() {
		if err == nil {
			err = f.err
		}
		if err == nil && len(f.values) > 0 {
			err = fmt.Errorf("%s has no such fields: %v", args[0], f.values)
		}
	}()
	request = f.number("request", request)
	switch args[0] {
	case "accepted":
		return &wire.Accepted{
			Request: request, Session: f.take("session", fmt.Sprintf("s%d", n)), LoginSeq: f.number("seq", n),
			ServerTime: now.UnixMilli(), TicketExpires: f.moment("ticket", "24h"), PingInterval: f.millis("ping", "25s"),
			ReconnectWindow: f.millis("window", "0s"), ResumeTicket: []byte(f.take("resume", fmt.Sprintf("resume-%d", n))),
		}, nil
	case "refused":
		return &wire.Refused{
			Request: request, Code: f.code(""), Text: f.take("text", ""), RetryAfter: f.millis("retry_after", "0s"),
			Reason: f.reason(), ByPlatform: f.platform(), ByLabel: f.take("label", ""), At: f.moment("at", "0"),
		}, nil
	case "reply":
		return &wire.Reply{
			Request: request, Code: f.code("OK"), TicketExpires: f.moment("ticket", "0"), ResumeTicket: []byte(f.take("resume", "")),
		}, nil
	case "kicked":
		return &wire.Kicked{
			Reason: f.reason(), Code: f.code("KickedOffline"), ByPlatform: f.platform(), ByLabel: f.take("label", ""), At: f.moment("at", "0"),
		}, nil
	case "ticket":
		return &wire.Ticket{Expires: f.moment("expires", "now"), Expired: f.take("expired", "") == "true"}, nil
	case "bye":
		action := named(f, "action", codes.ByeResume, codes.ByeRelogin, codes.ByeStop)
		return &wire.Bye{Code: f.code("ServiceNotReady"), Action: action, RetryAfter: f.millis("retry_after", "0s")}, nil
	}
	return nil, fmt.Errorf("the server knows no frame called %s", args[0])
}
