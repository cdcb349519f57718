package nats

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/opentim/tim/server"
)

// buckets is how many parts the keys are spread over. All nodes of a cluster must agree, so it never changes. It is low, because
// what is written to a bucket at the same time travels between its servers together: with 32, 64 logins at once cost the
// servers twice the messages and twice the processor's time. And it is enough for each server to lead a few.
const buckets = 8

// A userID may hold any printable character, a token of a subject may not: one that is not a letter, a digit, - or _ becomes
// = and two hexadecimal digits. What is empty becomes a lone =.
func token(s string) string {
	const hexDigits = "0123456789ABCDEF"
	if s == "" {
		return "="
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := range len(s) {
		if c := s[i]; plain(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('=')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
	return b.String()
}

func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

func untoken(s string) (string, error) {
	if s == "=" {
		return "", nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '=' {
			b.WriteByte(s[i])
			continue
		}
		if i+3 > len(s) {
			return "", fmt.Errorf("%q ends within a character", s)
		}
		c, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", fmt.Errorf("%q: %w", s, err)
		}
		b.WriteByte(byte(c))
		i += 2
	}
	return b.String(), nil
}

// A place is where a key is kept.
type place struct {
	bucket  int
	subject string
}

func (r *Registry) place(key server.UserKey) place {
	name := strconv.FormatUint(key.App, 10) + "." + token(key.User)
	bucket := int(hash(name) % buckets)
	return place{bucket, r.bucketPrefix(bucket) + name}
}

// hash is FNV-1a: it is the same everywhere and for ever.
func hash(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

func (r *Registry) bucketName(i int) string   { return fmt.Sprintf("%s_sessions_%02d", r.o.Cluster, i) }
func (r *Registry) streamName(i int) string   { return "KV_" + r.bucketName(i) }
func (r *Registry) bucketPrefix(i int) string { return "$KV." + r.bucketName(i) + "." }

// userKey returns the key that a subject of a bucket stands for.
func (r *Registry) userKey(bucket int, subject string) (server.UserKey, error) {
	app, user, ok := strings.Cut(strings.TrimPrefix(subject, r.bucketPrefix(bucket)), ".")
	if !ok {
		return server.UserKey{}, fmt.Errorf("%q is no key of a user", subject)
	}
	id, err := strconv.ParseUint(app, 10, 64)
	if err != nil {
		return server.UserKey{}, fmt.Errorf("%q: %w", subject, err)
	}
	name, err := untoken(user)
	if err != nil {
		return server.UserKey{}, err
	}
	return server.UserKey{App: id, User: name}, nil
}

func (r *Registry) leaseSubject() string { return r.o.Cluster + ".lease" }
func (r *Registry) newsSubject() string  { return r.o.Cluster + ".news" }

// gatewaySubject is where a node hears kicks: "tim.gateway.node-1.5f3a".
func (r *Registry) gatewaySubject(node server.NodeID) string {
	parts := strings.Split(string(node), ".")
	for i, p := range parts {
		parts[i] = token(p)
	}
	return r.o.Cluster + ".gateway." + strings.Join(parts, ".")
}
