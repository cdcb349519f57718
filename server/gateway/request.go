package gateway

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"unsafe"
)

// A request is the head of a WebSocket handshake, read without net/http: that costs a twentieth of a login and a third of its
// garbage. It understands what http.ReadRequest understands of such a head, or less, and has the fields that matter here. Its
// texts are the bytes of the head themselves: nobody may keep one longer than the request.
type request struct {
	http.Request
	values [len(handshakeFields)][1]string // room for one value of each field
}

// handshakeFields are the fields that somebody looks at, in net/http's spelling.
var handshakeFields = [...]string{
	"Host", "Connection", "Upgrade", "Origin", "Sec-Websocket-Version", "Sec-Websocket-Key", "Sec-Websocket-Protocol",
	"Sec-Websocket-Extensions", "X-Forwarded-For", "Tim-First",
}

var requests = sync.Pool{New: func() any {
	r := new(request)
	r.Header = make(http.Header, len(handshakeFields))
	return r
}}

var (
	errRequestLine = errors.New("its first line is not GET, a path and HTTP/1.1")
	errField       = errors.New("a header line is not name: value")
	errHost        = errors.New("it does not have one Host field")
	errBody        = errors.New("it has a body")
)

// parseRequest reads a head, up to its empty line. The caller gives the request back with free, before head changes.
func parseRequest(head []byte) (*request, error) {
	r := requests.Get().(*request)
	if err := r.parse(unsafe.String(unsafe.SliceData(head), len(head))); err != nil {
		r.free()
		return nil, err
	}
	return r, nil
}

func (r *request) free() {
	clear(r.Header)
	clear(r.values[:])
	r.Method, r.Host = "", ""
	requests.Put(r)
}

func (r *request) parse(head string) error {
	line, rest := cutLine(head)
	method, target, ok := strings.Cut(line, " ")
	_, version, ok2 := strings.Cut(target, " ")
	if !ok || !ok2 || method != http.MethodGet || version != "HTTP/1.1" {
		return errRequestLine
	}
	r.Method = method
	for line, rest = cutLine(rest); line != ""; line, rest = cutLine(rest) {
		if err := r.field(line); err != nil {
			return err
		}
	}
	host := r.Header["Host"]
	if len(host) != 1 {
		return errHost
	}
	r.Host = host[0]
	return nil
}

func (r *request) field(line string) error {
	name, value, ok := strings.Cut(line, ":")
	if !ok || name == "" || has(name, notInName) || has(value, notInValue) {
		return errField
	}
	value = strings.Trim(value, " \t")
	for i, known := range handshakeFields {
		if len(name) == len(known) && strings.EqualFold(name, known) {
			values := r.Header[known]
			if values == nil {
				values = r.values[i][:0]
			}
			r.Header[known] = append(values, value)
			return nil
		}
	}
	if strings.EqualFold(name, "Transfer-Encoding") || strings.EqualFold(name, "Content-Length") && value != "0" {
		return errBody
	}
	return nil
}

// cutLine returns the first line of s, without its end, and what follows.
func cutLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// A class is a property of bytes: a bit of classes.
type class uint8

const (
	notInName class = 1 << iota
	notInValue
)

var classes = func() (all [256]class) {
	for c := range all {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, byte(c)) >= 0 {
			all[c] |= notInName
		}
		if c < ' ' && c != '\t' || c == 0x7f {
			all[c] |= notInValue
		}
	}
	return all
}()

func has(text string, property class) bool {
	for i := range len(text) {
		if classes[text[i]]&property != 0 {
			return true
		}
	}
	return false
}
