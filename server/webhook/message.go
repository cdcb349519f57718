package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

const command = "State.StateChange"

// A message is a change as it is sent.
type message struct {
	platform string // of the client, as webhooks name it
	address  string // of the client, or ""
	body     []byte
}

type body struct {
	CallbackCommand string
	EventTime       int64 // Unix milliseconds
	Info            info
	KickedDevice    []device `json:",omitempty"`

	// Ours.
	Revision uint64
	Sessions []session
}

type info struct {
	Action    string
	ToAccount string `json:"To_Account"`
	Reason    string
}

type device struct{ Platform string }

type session struct {
	Session     string
	Instance    string
	Platform    string
	Label       string `json:",omitempty"`
	Status      string // Online or Away
	LoginSeq    uint64
	LoginTimeMs int64
	AwayUntilMs int64 `json:",omitempty"`
}

// words are Tencent's.
func words(a server.Action) (action, reason string) {
	switch a {
	case server.LoggedIn:
		return "Login", "Register"
	case server.LoggedOut:
		return "Logout", "Unregister"
	case server.LinkClosed:
		return "Disconnect", "LinkClose"
	case server.TimedOut:
		return "Disconnect", "TimeOut"
	}
	panic(fmt.Sprintf("webhook: no words for action %d", a))
}

func newMessage(c *server.Change) message {
	b := body{CallbackCommand: command, EventTime: c.At.UnixMilli(), Revision: c.Revision, Sessions: make([]session, 0, len(c.Sessions))}
	b.Info.ToAccount = c.Key.User
	b.Info.Action, b.Info.Reason = words(c.Action)
	for _, p := range c.Kicked {
		b.KickedDevice = append(b.KickedDevice, device{p.Webhook()})
	}
	for _, s := range c.Sessions {
		one := session{
			Session: s.ID, Instance: s.Instance, Platform: s.Platform.Webhook(), Label: s.Label, Status: "Online",
			LoginSeq: s.LoginSeq, LoginTimeMs: s.LoggedIn().UnixMilli(),
		}
		if !s.AwayUntil.IsZero() {
			one.Status, one.AwayUntilMs = "Away", s.AwayUntil.UnixMilli()
		}
		b.Sessions = append(b.Sessions, one)
	}
	m := message{platform: c.Session.Platform.Webhook()}
	if c.Address.IsValid() {
		m.address = c.Address.Unmap().WithZone("").String()
	}
	var err error
	if m.body, err = json.Marshal(b); err != nil {
		panic("webhook: " + err.Error()) // plain strings and numbers
	}
	return m
}

// address returns the URL for a message that is sent now.
func (to Receiver) address(app uint64, m message, now time.Time) (string, error) {
	u, err := url.Parse(to.URL)
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Set("SdkAppid", strconv.FormatUint(app, 10))
	q.Set("CallbackCommand", command)
	q.Set("contenttype", "json")
	q.Set("ClientIP", m.address)
	q.Set("OptPlatform", m.platform)
	if to.Token != "" {
		at := strconv.FormatInt(now.Unix(), 10)
		q.Set("RequestTime", at)
		q.Set("Sign", sign(to.Token, at))
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// sign returns what proves to a receiver that a request comes from who knows the token.
func sign(token, requestTime string) string {
	sum := sha256.Sum256([]byte(token + requestTime))
	return hex.EncodeToString(sum[:])
}

// An answer is what a receiver says.
type answer struct {
	ActionStatus string
	ErrorCode    codes.Code
	ErrorInfo    string
}

// refusal returns why an answer is no OK, or nil.
func refusal(data []byte) error {
	var a answer
	switch err := json.Unmarshal(data, &a); {
	case err != nil:
		return fmt.Errorf(`the answer is not {"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}: %w`, err)
	case a.ActionStatus != "OK" || a.ErrorCode != 0:
		return fmt.Errorf("the receiver answers ActionStatus %.20q, ErrorCode %d, ErrorInfo %.200q", a.ActionStatus, int(a.ErrorCode), a.ErrorInfo)
	}
	return nil
}
