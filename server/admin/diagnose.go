package admin

import (
	"context"
	"errors"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

type diagnoseRequest struct {
	UserSig string `doc:"the ticket; it is neither kept nor logged" api:"required"`
	UserID  string `json:",omitempty" doc:"who wants to log in with it; none is not compared" api:"maxlen=32"`
}

type diagnoseReply struct {
	Code     codes.Code `doc:"what a login would answer; 0 if it would succeed"`
	Text     string     `doc:"the same in words"`
	Problems []string   `doc:"everything that is wrong; the first is what Code stands for"`
	Hints    []string   `doc:"what may be behind it, and what is odd but no reason to refuse"`
	KeyFits  bool       `doc:"one of the app's keys signed it"`
	Ticket   ticketView `doc:"what could be read of it"`
}

type ticketView struct {
	SDKAppID  uint64 `doc:"the app it is for"`
	UserID    string `doc:"the user it is for"`
	IssuedMs  int64  `doc:"when it was signed, in Unix milliseconds; 0 if that cannot be read"`
	ExpiresMs int64  `doc:"when it ends; the whole second is still good"`
}

// diagnoseUserSig says in words what is wrong with a ticket, by the keys and accounts of this server.
func (a *API) diagnoseUserSig(ctx context.Context, c caller, in diagnoseRequest) (out diagnoseReply, err error) {
	x, err := a.sessions.ExplainTicket(c.key(in.UserID), in.UserSig)
	if err != nil {
		return out, err
	}
	out = diagnoseReply{
		Code: x.Code, Text: x.Code.Text(), Problems: append([]string{}, x.Problems...), Hints: append([]string{}, x.Hints...),
		KeyFits: x.KeyFits, Ticket: ticketView{SDKAppID: x.Ticket.App, UserID: x.Ticket.UserID},
	}
	if !x.Ticket.Issued.IsZero() {
		out.Ticket.IssuedMs, out.Ticket.ExpiresMs = x.Ticket.Issued.UnixMilli(), x.Ticket.Expires.UnixMilli()
	}
	if x.Code != codes.OK {
		return out, nil
	}
	err = a.sessions.CheckTicket(ctx, c.key(x.Ticket.UserID), in.UserSig) // the ticket is good: what of the account?
	var refused *server.Refusal
	if !errors.As(err, &refused) {
		return out, err
	}
	out.Code, out.Text = refused.Code, refused.Code.Text()
	out.Problems = append(out.Problems, refused.Text)
	return out, nil
}
