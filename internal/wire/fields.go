package wire

import "github.com/opentim/tim/codes"

// Kind returns the frame's type.
func (*Login) Kind() Kind    { return KindLogin }
func (*Resume) Kind() Kind   { return KindResume }
func (*Renew) Kind() Kind    { return KindRenew }
func (*Logout) Kind() Kind   { return KindLogout }
func (*Call) Kind() Kind     { return KindCall }
func (*Accepted) Kind() Kind { return KindAccepted }
func (*Refused) Kind() Kind  { return KindRefused }
func (*Reply) Kind() Kind    { return KindReply }
func (*Kicked) Kind() Kind   { return KindKicked }
func (*Ticket) Kind() Kind   { return KindTicket }
func (*Bye) Kind() Kind      { return KindBye }
func (*Unknown) Kind() Kind  { return 0 }

// New returns an empty frame of kind k, or nil if there is none.
func newFrame(k Kind) Frame {
	switch k {
	case KindLogin:
		return new(Login)
	case KindResume:
		return new(Resume)
	case KindRenew:
		return new(Renew)
	case KindLogout:
		return new(Logout)
	case KindCall:
		return new(Call)
	case KindAccepted:
		return new(Accepted)
	case KindRefused:
		return new(Refused)
	case KindReply:
		return new(Reply)
	case KindKicked:
		return new(Kicked)
	case KindTicket:
		return new(Ticket)
	case KindBye:
		return new(Bye)
	}
	return nil
}

func (f *Login) put(w *writer) {
	w.begin(KindLogin, 10)
	w.uint(f.Request)
	w.uint(f.Version)
	w.uint(f.App)
	w.str(f.User)
	w.str(f.Ticket)
	w.int(int64(f.Platform))
	w.str(f.Instance)
	w.str(f.Label)
	w.str(f.SDK)
	w.bool(f.Reconnect)
}

func (f *Login) get(r *reader) {
	r.need(10)
	f.Request = r.uint()
	f.Version = r.uint()
	f.App = r.uint()
	f.User = r.str()
	f.Ticket = r.str()
	f.Platform = codes.Platform(r.int32())
	f.Instance = r.str()
	f.Label = r.str()
	f.SDK = r.str()
	f.Reconnect = r.bool()
}

func (f *Resume) put(w *writer) {
	w.begin(KindResume, 3)
	w.uint(f.Request)
	w.uint(f.Version)
	w.bytes(f.Ticket)
}

func (f *Resume) get(r *reader) {
	r.need(3)
	f.Request = r.uint()
	f.Version = r.uint()
	f.Ticket = r.bytes()
}

func (f *Renew) put(w *writer) {
	w.begin(KindRenew, 2)
	w.uint(f.Request)
	w.str(f.Ticket)
}

func (f *Renew) get(r *reader) {
	r.need(2)
	f.Request = r.uint()
	f.Ticket = r.str()
}

func (f *Logout) put(w *writer) {
	w.begin(KindLogout, 1)
	w.uint(f.Request)
}

func (f *Logout) get(r *reader) {
	r.need(1)
	f.Request = r.uint()
}

func (f *Call) put(w *writer) {
	w.begin(KindCall, 3)
	w.uint(f.Request)
	w.str(f.Method)
	w.bytes(f.Body)
}

func (f *Call) get(r *reader) {
	r.need(3)
	f.Request = r.uint()
	f.Method = r.str()
	f.Body = r.bytes()
}

func (f *Accepted) put(w *writer) {
	w.begin(KindAccepted, 9)
	w.uint(f.Request)
	w.str(f.Session)
	w.uint(f.LoginSeq)
	w.int(f.ServerTime)
	w.int(f.TicketExpires)
	w.int(f.PingInterval)
	w.int(f.ReconnectWindow)
	w.bytes(f.ResumeTicket)
	w.bool(f.Repeat)
}

func (f *Accepted) get(r *reader) {
	r.need(9)
	f.Request = r.uint()
	f.Session = r.str()
	f.LoginSeq = r.uint()
	f.ServerTime = r.int()
	f.TicketExpires = r.int()
	f.PingInterval = r.int()
	f.ReconnectWindow = r.int()
	f.ResumeTicket = r.bytes()
	f.Repeat = r.bool()
}

func (f *Refused) put(w *writer) {
	w.begin(KindRefused, 8)
	w.uint(f.Request)
	w.int(int64(f.Code))
	w.str(f.Text)
	w.int(f.RetryAfter)
	w.int(int64(f.Reason))
	w.int(int64(f.ByPlatform))
	w.str(f.ByLabel)
	w.int(f.At)
}

func (f *Refused) get(r *reader) {
	r.need(8)
	f.Request = r.uint()
	f.Code = codes.Code(r.int32())
	f.Text = r.str()
	f.RetryAfter = r.int()
	f.Reason = codes.KickReason(r.int32())
	f.ByPlatform = codes.Platform(r.int32())
	f.ByLabel = r.str()
	f.At = r.int()
}

func (f *Reply) put(w *writer) {
	w.begin(KindReply, 6)
	w.uint(f.Request)
	w.int(int64(f.Code))
	w.str(f.Text)
	w.bytes(f.Body)
	w.int(f.TicketExpires)
	w.bytes(f.ResumeTicket)
}

func (f *Reply) get(r *reader) {
	r.need(6)
	f.Request = r.uint()
	f.Code = codes.Code(r.int32())
	f.Text = r.str()
	f.Body = r.bytes()
	f.TicketExpires = r.int()
	f.ResumeTicket = r.bytes()
}

func (f *Kicked) put(w *writer) {
	w.begin(KindKicked, 5)
	w.int(int64(f.Reason))
	w.int(int64(f.Code))
	w.int(int64(f.ByPlatform))
	w.str(f.ByLabel)
	w.int(f.At)
}

func (f *Kicked) get(r *reader) {
	r.need(5)
	f.Reason = codes.KickReason(r.int32())
	f.Code = codes.Code(r.int32())
	f.ByPlatform = codes.Platform(r.int32())
	f.ByLabel = r.str()
	f.At = r.int()
}

func (f *Ticket) put(w *writer) {
	w.begin(KindTicket, 2)
	w.int(f.Expires)
	w.bool(f.Expired)
}

func (f *Ticket) get(r *reader) {
	r.need(2)
	f.Expires = r.int()
	f.Expired = r.bool()
}

func (f *Bye) put(w *writer) {
	w.begin(KindBye, 4)
	w.int(int64(f.Code))
	w.str(f.Text)
	w.int(int64(f.Action))
	w.int(f.RetryAfter)
}

func (f *Bye) get(r *reader) {
	r.need(4)
	f.Code = codes.Code(r.int32())
	f.Text = r.str()
	f.Action = codes.ByeAction(r.int32())
	f.RetryAfter = r.int()
}

func (*Unknown) put(*writer) { panic("wire: an Unknown frame is never sent") }
func (*Unknown) get(*reader) {}
