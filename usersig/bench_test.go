package usersig

import (
	"testing"
	"time"
)

// The ticket of most benchmarks is one that Node wrote: 200 characters, Huffman-coded, as the vendor's helpers do.
func benchTicket(b *testing.B) (text string, want Ticket) {
	v := vectors(b)[0]
	return v.Node, v.ticket(b)
}

func BenchmarkVerify(b *testing.B) {
	text, want := benchTicket(b)
	verifier := NewVerifier(testApp, testKey)
	run := func(name, text, userID string) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verifier.Verify(text, userID, want.Issued); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("compressed", text, want.UserID)
	run("stored", sign(b, want), want.UserID)
	run("userbuf", vectors(b)[3].Node, want.UserID)
	run("unusual-json", pack(`{"é":0,`+aliceJSON(plainFormat)[1:], 6), "alice")
	b.Run("plain-libraries", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, code := slowVerify(text, testApp, want.UserID, testKey, want.Issued); code != 0 {
				b.Fatal(code)
			}
		}
	})
}

func BenchmarkVerifyParallel(b *testing.B) {
	text, want := benchTicket(b)
	verifier := NewVerifier(testApp, testKey)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := verifier.Verify(text, want.UserID, want.Issued); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkVerifyRefuses(b *testing.B) {
	tickets := map[string]string{}
	for _, c := range failures {
		switch c.name {
		case "a stranger's character", "no JSON", "another user", "another key", "expired":
			tickets[c.name] = c.ticket(b)
		}
	}
	for name, c := range hostile() {
		tickets[name] = c.ticket
	}
	verifier := NewVerifier(testApp, testKey)
	for name, ticket := range tickets {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verifier.Verify(ticket, "alice", testTime); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}

// BenchmarkPart shows where the time of BenchmarkVerify/compressed goes.
func BenchmarkPart(b *testing.B) {
	text, want := benchTicket(b)
	verifier := NewVerifier(testApp, testKey)
	r := new(reader)
	if bad := r.read(text); bad != nil {
		b.Fatal(bad)
	}
	raw, _ := r.decode(text)
	for _, part := range []struct {
		name string
		run  func() bool
	}{
		{"base64", func() bool { _, bad := r.decode(text); return bad == nil }},
		{"inflate", func() bool { return r.inflate(raw, len(text)) == nil }},
		{"scan", func() bool { r.claims = claims{}; return r.claims.scan(r.doc, r.spare[:]) }},
		{"form", func() bool { return r.claims.decode(&r.form) == nil }},
		{"mac", func() bool { _, bad := verifier.checkKey(r); return bad == nil }},
		{"rest", func() bool {
			return r.claims.checkApp(testApp) == nil && r.claims.checkUser(want.UserID) == nil && r.claims.checkTime(want.Issued) == nil
		}},
	} {
		b.Run(part.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !part.run() {
					b.Fatal("refused")
				}
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Sign(testApp, testKey, "alice", time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkExplain(b *testing.B) {
	text, want := benchTicket(b)
	b.ReportAllocs()
	for b.Loop() {
		if e := Explain(text, testApp, want.UserID, testKey, want.Issued); e.Code != 0 {
			b.Fatal(e)
		}
	}
}
