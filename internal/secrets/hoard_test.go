package secrets

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// run is how many characters of a secret in a row are a leak. A redacted ticket shows four.
const run = 16

// A hoard knows secrets, each by every run of each of its spellings, so that a part of one is found as well as all of it.
type hoard struct {
	mu    sync.Mutex
	runs  map[string]string // to the name of the secret
	names map[string]bool
}

func newHoard() *hoard { return &hoard{runs: map[string]string{}, names: map[string]bool{}} }

// add takes a secret that is text.
func (h *hoard) add(name, secret string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.names[name] = true
	for spelling, text := range spellings([]byte(secret)) {
		h.learn(name+" "+spelling, text)
	}
	h.learn(name, secret)
}

// addBytes takes a secret that is no text, and may have words in it that are none: those count only where they are encoded.
func (h *hoard) addBytes(name string, secret []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.names[name] = true
	for spelling, text := range spellings(secret) {
		if spelling != "in a URL" && spelling != "quoted" {
			h.learn(name+" "+spelling, text)
		}
	}
}

// addTicket takes a ticket, and the signature inside: the rest of its contents is no secret.
func (h *hoard) addTicket(name, ticket string) string {
	h.add(name, ticket)
	packed, err := base64.StdEncoding.DecodeString(strings.NewReplacer("*", "+", "-", "/", "_", "=").Replace(ticket))
	if err != nil {
		panic(err)
	}
	h.addBytes(name+", unpacked once,", packed)
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic(err)
	}
	document, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	var inside struct {
		Sig string `json:"TLS.sig"`
	}
	if err := json.Unmarshal(document, &inside); err != nil {
		panic(err)
	}
	mac, err := base64.StdEncoding.DecodeString(inside.Sig)
	if err != nil {
		panic(err)
	}
	h.add("the signature in "+name, inside.Sig)
	h.addBytes("the signature in "+name, mac)
	return ticket
}

// addResumeTicket takes a resume ticket, and the MAC at its end by itself: the rest names the user and the device.
func (h *hoard) addResumeTicket(name string, ticket []byte) {
	h.addBytes(name, ticket)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.learn("the MAC of "+name, string(ticket[len(ticket)-16:]))
}

func (h *hoard) learn(name, text string) {
	for i := 0; i+run <= len(text); i++ {
		h.runs[text[i:i+run]] = name
	}
}

// spellings are the ways in which bytes get into text. Base64 has three for what stands inside something longer, of which the
// characters at both ends depend on the neighbours and are left out.
func spellings(secret []byte) map[string]string {
	s := map[string]string{
		"in hex": hex.EncodeToString(secret), "in HEX": strings.ToUpper(hex.EncodeToString(secret)), "in hex with spaces": fmt.Sprintf("% x", secret),
		"as numbers": fmt.Sprint(secret), "as Go": strings.TrimPrefix(fmt.Sprintf("%#v", secret), "[]byte"),
		"in a URL": url.QueryEscape(string(secret)), "quoted": fmt.Sprintf("%q", secret),
	}
	for shift := range 3 {
		padded := append(make([]byte, shift), secret...)
		text := base64.StdEncoding.EncodeToString(padded[:len(padded)/3*3])
		text = text[min(4*((shift+2)/3), len(text)):]
		s[fmt.Sprintf("in base64, shifted by %d", shift)] = text
		s[fmt.Sprintf("in base64 for URLs, shifted by %d", shift)] = strings.NewReplacer("+", "-", "/", "_").Replace(text)
		s[fmt.Sprintf("in base64 as of tickets, shifted by %d", shift)] = strings.NewReplacer("+", "*", "/", "-").Replace(text)
	}
	return s
}

// find returns the names of the secrets that stand in text.
func (h *hoard) find(text string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []string
	seen := map[string]bool{}
	for i := 0; i+run <= len(text); i++ {
		if name, ok := h.runs[text[i:i+run]]; ok && !seen[name] {
			seen[name] = true
			found = append(found, fmt.Sprintf("%s, at %d: …%.60q", name, i, text[max(0, i-40):i]))
		}
	}
	return found
}

func TestWhatIsPlantedIsFoundInEverySpelling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.SliceOfN(rapid.Byte(), 40, 200).Draw(t, "secret")
		before := rapid.SliceOfN(rapid.ByteRange('a', 'z'), 0, 50).Draw(t, "before")
		after := rapid.SliceOfN(rapid.ByteRange('a', 'z'), 0, 50).Draw(t, "after")
		h := newHoard()
		h.addBytes("bytes", secret)
		h.add("text", string(secret))
		around := append(append(append([]byte{}, before...), secret...), after...)
		for spelling, text := range map[string]string{
			"plain": string(around), "hex": hex.EncodeToString(around), "HEX": fmt.Sprintf("%X", around), "% x": fmt.Sprintf("% x", around),
			"%v": fmt.Sprint(around), "%#v": fmt.Sprintf("%#v", around), "%q": fmt.Sprintf("%q", around), "URL": url.QueryEscape(string(around)),
			"base64": base64.StdEncoding.EncodeToString(around), "raw base64": base64.RawStdEncoding.EncodeToString(around),
			"base64url": base64.URLEncoding.EncodeToString(around), "raw base64url": base64.RawURLEncoding.EncodeToString(around),
			"a part": string(secret[3 : 3+run+5]),
		} {
			if len(h.find("a line of a log "+text+" and its end")) == 0 {
				t.Fatalf("not found: %s", spelling)
			}
		}
	})
}

func TestWhatIsNoSecretIsNotFound(t *testing.T) {
	h := newHoard()
	h.add("a key", "the key of an app that is not here")
	h.addBytes("bytes", []byte("user alice, session s-0123456789abcdef, and a MAC"))
	require.Empty(t, h.find("time=now user=alice session=s-0123456789abcdef ticket=(312 bytes …x8Yz) an app has no key"))
	require.NotEmpty(t, h.find("the key of an app that"))
}
