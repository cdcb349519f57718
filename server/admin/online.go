package admin

import (
	"context"
	"slices"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/usersig"
)

const maxQueried = 500 // users in one query

// The words of query_online_status.
const (
	online     = "Online"     // connected
	pushOnline = "PushOnline" // a phone or a tablet that is not connected, and did not log out
	offline    = "Offline"
)

type queryRequest struct {
	ToAccount    []string `json:"To_Account" doc:"the users" api:"required,minitems=1,maxitems=500"`
	IsNeedDetail int      `json:",omitempty" doc:"1 for the platforms, too" api:"min=0,max=1"`
}

type queryReply struct {
	QueryResult []userStatus `doc:"one for each user who has an account"`
	ErrorList   []queryError `json:",omitempty" doc:"the others"`
}

type userStatus struct {
	ToAccount string           `json:"To_Account" doc:"the user"`
	Status    string           `doc:"that of the best session" api:"enum=Online|PushOnline|Offline"`
	Detail    []platformStatus `json:",omitzero" doc:"the platforms that are not offline, if IsNeedDetail is 1"`
}

type platformStatus struct {
	Platform string `doc:"as Tencent names it" api:"enum=iPhone|iPad|Android|PC|Mac|Linux|Web"`
	Status   string `doc:"that of its best session" api:"enum=Online|PushOnline"`
}

type queryError struct {
	ToAccount string     `json:"To_Account" doc:"the user"`
	ErrorCode codes.Code `doc:"70107 if there is no such account"`
}

// queryOnlineStatus says who is online. It fails only if nothing is known of anybody.
func (a *API) queryOnlineStatus(ctx context.Context, c caller, in queryRequest) (queryReply, error) {
	out := queryReply{QueryResult: []userStatus{}}
	switch n := len(in.ToAccount); {
	case n == 0:
		return out, fail(codes.QueryBadJSON, "To_Account must name at least one user")
	case n > maxQueried:
		return out, fail(codes.QueryTooMany, "To_Account holds %d users; %d are allowed", n, maxQueried)
	}
	found, errs := a.lookUp(ctx, c, in.ToAccount)
	for i, err := range errs {
		if err == nil {
			if in.IsNeedDetail != 1 {
				found[i].Detail = nil
			}
			out.QueryResult = append(out.QueryResult, found[i])
			continue
		}
		code := openim.codeOf(err)
		if openim.ours(code) {
			a.log.Warn("rest: a user could not be looked up", "user", in.ToAccount[i], "error", err)
		}
		out.ErrorList = append(out.ErrorList, queryError{in.ToAccount[i], code})
	}
	if len(out.QueryResult) == 0 {
		first := out.ErrorList[0].ErrorCode
		return out, &failure{code: first, text: "no user could be looked up: " + first.Text(), partial: true}
	}
	return out, nil
}

// lookUp returns the status of users, with every detail, or why it is not known.
func (a *API) lookUp(ctx context.Context, c caller, users []string) ([]userStatus, []error) {
	found := make([]userStatus, len(users))
	errs := make([]error, len(users))
	settings, err := a.sessions.Settings(c.app.ID)
	var absences map[string][]server.Absence
	if err == nil {
		named := slices.DeleteFunc(slices.Clone(users), func(user string) bool { return usersig.CheckUserID(user) != nil })
		absences, err = a.store.Absences(ctx, c.app.ID, named)
	}
	each(len(users), func(i int) {
		if errs[i] = err; err == nil {
			found[i], errs[i] = a.statusOf(ctx, c.key(users[i]), absences[users[i]], settings)
		}
	})
	return found, errs
}

// statusOf looks one user up. Who has a session has an account.
func (a *API) statusOf(ctx context.Context, key server.UserKey, absences []server.Absence, settings server.Settings) (userStatus, error) {
	if usersig.CheckUserID(key.User) != nil {
		return userStatus{}, codes.AccountNotFound
	}
	sessions, err := a.sessions.SessionsOf(ctx, key)
	if err == nil && len(sessions) == 0 {
		_, err = a.store.Account(ctx, key)
	}
	if err != nil {
		return userStatus{}, err
	}
	st := userStatus{ToAccount: key.User, Status: offline, Detail: []platformStatus{}}
	for _, s := range sessions {
		st.has(s.Platform, statusOfSession(s))
	}
	for _, absence := range server.Absent(absences, sessions, settings, time.Now()) {
		st.has(absence.Platform, pushOnline)
	}
	return st, nil
}

// has notes the status of one device of the user.
func (st *userStatus) has(p codes.Platform, one string) {
	st.Status = better(st.Status, one)
	if one == offline {
		return
	}
	i := slices.IndexFunc(st.Detail, func(known platformStatus) bool { return known.Platform == p.REST() })
	if i < 0 {
		st.Detail = append(st.Detail, platformStatus{p.REST(), one})
	} else {
		st.Detail[i].Status = better(st.Detail[i].Status, one)
	}
}

// statusOfSession tells by what the registry knows: a session that was lost is there for its grace period. After that the store
// knows of the absence.
func statusOfSession(s server.Session) string {
	switch {
	case s.AwayUntil.IsZero():
		return online
	case server.Reachable(s.Platform):
		return pushOnline
	}
	return offline
}

func better(a, b string) string {
	order := []string{online, pushOnline, offline}
	return order[min(slices.Index(order, a), slices.Index(order, b))]
}

type stateReply struct {
	QueryResult []userState  `doc:"one for each user who has an account"`
	ErrorList   []queryError `json:",omitempty" doc:"the others"`
}

type userState struct {
	ToAccount string           `json:"To_Account" doc:"the user"`
	State     string           `doc:"that of the best session" api:"enum=Online|PushOnline|Offline"`
	Detail    []platformStatus `json:",omitzero" doc:"the platforms that are not offline, if IsNeedDetail is 1"`
}

// queryState is queryOnlineStatus as older clients know it.
func (a *API) queryState(ctx context.Context, c caller, in queryRequest) (stateReply, error) {
	found, err := a.queryOnlineStatus(ctx, c, in)
	out := stateReply{QueryResult: []userState{}, ErrorList: found.ErrorList}
	for _, s := range found.QueryResult {
		out.QueryResult = append(out.QueryResult, userState{s.ToAccount, s.Status, s.Detail})
	}
	return out, err
}

type sessionsReply struct {
	Sessions []session `doc:"oldest login first"`
}

type session struct {
	Session         string `doc:"its name"`
	Instance        string `doc:"the installation it belongs to"`
	Platform        string `doc:"the platform of that" api:"platform"`
	Label           string `doc:"what a person calls the device"`
	Status          string `doc:"Away: its connection was lost and may come back" api:"enum=Online|Away"`
	Node            string `doc:"the server where it is connected, or was last"`
	LoginSeq        uint64 `doc:"orders the logins of a user over all servers"`
	LoginTimeMs     int64  `doc:"when it was logged in, in Unix milliseconds"`
	AwayUntilMs     int64  `json:",omitempty" doc:"when it is given up"`
	TicketExpiresMs int64  `doc:"when its ticket ends"`
	Resumes         uint32 `doc:"how often it came back"`
}

// listSessions lists the sessions of a user.
func (a *API) listSessions(ctx context.Context, c caller, in userRequest) (out sessionsReply, err error) {
	if err := checkUser(in.UserID); err != nil {
		return out, err
	}
	list, err := a.sessions.SessionsOf(ctx, c.key(in.UserID))
	if err == nil && len(list) == 0 {
		_, err = a.store.Account(ctx, c.key(in.UserID))
	}
	if err != nil {
		return out, named(err, in.UserID)
	}
	out.Sessions = make([]session, 0, len(list))
	for _, s := range list {
		one := session{
			Session: s.ID, Instance: s.Instance, Platform: s.Platform.String(), Label: s.Label, Status: online, Node: string(s.Node),
			LoginSeq: s.LoginSeq, LoginTimeMs: s.LoggedIn().UnixMilli(), TicketExpiresMs: s.TicketExpires.UnixMilli(), Resumes: s.Resumes,
		}
		if !s.AwayUntil.IsZero() {
			one.Status, one.AwayUntilMs = "Away", s.AwayUntil.UnixMilli()
		}
		out.Sessions = append(out.Sessions, one)
	}
	return out, nil
}
