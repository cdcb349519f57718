package admin

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

type userRequest struct {
	UserID string `doc:"whom it is about" api:"required,minlen=1,maxlen=32"`
}

// An endedReply says what became of each session that was ended.
type endedReply struct {
	Told        int             `doc:"how many instances heard it over a live connection"`
	Instances   []endedInstance `doc:"every session that was ended"`
	SilentNodes []string        `doc:"nodes that did not answer in time; their clients learn it when the node finds out, or when they come back"`
}

type endedInstance struct {
	Session  string `doc:"the session that was ended"`
	Instance string `doc:"the installation it belonged to"`
	Platform string `doc:"the platform of that" api:"platform"`
	Label    string `doc:"what a person calls the device"`
	Node     string `doc:"the server where it was connected, or was last"`
	Result   string `doc:"told: it heard it; away: it was not connected and learns it when it comes back; gone: its connection ended meanwhile; silent: its node did not answer" api:"enum=told|away|gone|silent"`
}

// kick ends every session of a user on every node, and refuses tickets that are older.
func (a *API) kick(ctx context.Context, c caller, in userRequest) (out endedReply, err error) {
	if err := checkUser(in.UserID); err != nil {
		return out, err
	}
	ended, err := a.sessions.KickUser(ctx, c.key(in.UserID))
	return endings(ended), named(err, in.UserID)
}

type banRequest struct {
	UserID  string `doc:"whom to ban" api:"required,minlen=1,maxlen=32"`
	Seconds int64  `json:",omitempty" doc:"for how long; 0 or none means for ever" api:"min=0,max=3153600000"`
}

const maxBan int64 = 100 * 365 * 24 * 3600 // seconds

// ban refuses a user's logins and ends the sessions.
func (a *API) ban(ctx context.Context, c caller, in banRequest) (out endedReply, err error) {
	if err := checkUser(in.UserID); err != nil {
		return out, err
	}
	if in.Seconds < 0 || in.Seconds > maxBan {
		return out, fail(codes.InvalidRequest, "Seconds must be from 0, which means for ever, to %d", maxBan)
	}
	var until time.Time
	if in.Seconds > 0 {
		until = time.Now().Add(time.Duration(in.Seconds) * time.Second)
	}
	ended, err := a.sessions.Ban(ctx, c.key(in.UserID), until)
	return endings(ended), named(err, in.UserID)
}

// unban ends a ban.
func (a *API) unban(ctx context.Context, c caller, in userRequest) (out empty, err error) {
	if err := checkUser(in.UserID); err != nil {
		return out, err
	}
	return out, named(a.sessions.Unban(ctx, c.key(in.UserID)), in.UserID)
}

// named says whose account does not exist, if that is the error.
func named(err error, user string) error {
	if errors.Is(err, codes.AccountNotFound) {
		return fail(codes.AccountNotFound, "%s has no account: nobody has logged in by this name", user)
	}
	return err
}

type kickInstanceRequest struct {
	UserID   string `doc:"whose instance" api:"required,minlen=1,maxlen=32"`
	Instance string `json:",omitempty" doc:"the installation, as sessions names it"`
	Session  string `json:",omitempty" doc:"or one session"`
}

// kickInstance ends the sessions of one installation. It may log in again with the same ticket.
func (a *API) kickInstance(ctx context.Context, c caller, in kickInstanceRequest) (out endedReply, err error) {
	if err := checkUser(in.UserID); err != nil {
		return out, err
	}
	if (in.Instance == "") == (in.Session == "") {
		return out, fail(codes.InvalidRequest, "give either Instance or Session, as tim_admin/sessions names them")
	}
	sessions, err := a.sessions.SessionsOf(ctx, c.key(in.UserID))
	if err != nil {
		return out, err
	}
	var ended []server.Ending
	for _, s := range sessions {
		if s.ID != in.Session && s.Instance != in.Instance {
			continue
		}
		one, err := a.sessions.KickSession(ctx, c.key(in.UserID), s.ID)
		if err != nil {
			return out, err
		}
		ended = append(ended, one...)
	}
	if len(ended) == 0 {
		return out, fail(codes.InvalidRequest, "%s has no such session; tim_admin/sessions lists them", in.UserID)
	}
	return endings(ended), nil
}

func endings(ended []server.Ending) endedReply {
	out := endedReply{Instances: make([]endedInstance, 0, len(ended)), SilentNodes: []string{}}
	for _, e := range ended {
		s := e.Session
		node := string(s.Node)
		i := endedInstance{s.ID, s.Instance, s.Platform.String(), s.Label, node, "gone"}
		switch {
		case e.Told:
			i.Result = "told"
			out.Told++
		case !s.AwayUntil.IsZero():
			i.Result = "away"
		case e.Err != nil:
			i.Result = "silent"
			if !slices.Contains(out.SilentNodes, node) {
				out.SilentNodes = append(out.SilentNodes, node)
			}
		}
		out.Instances = append(out.Instances, i)
	}
	return out
}
