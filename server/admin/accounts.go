package admin

import (
	"context"
	"errors"
	"sync"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/usersig"
)

const (
	maxAccounts = 100 // in one request
	maxProfile  = 500 // bytes of a name or an address
	atOnce      = 16  // items of one request that are worked on
)

type importRequest struct {
	UserID  string `doc:"whom to make an account for" api:"required,minlen=1,maxlen=32"`
	Nick    string `json:",omitempty" doc:"a name; checked, and not kept: there are no profiles" api:"maxlen=500"`
	FaceURL string `json:"FaceUrl,omitempty" doc:"the address of a picture; checked, and not kept" api:"maxlen=500"`
}

// accountImport makes an account, unless it exists.
func (a *API) accountImport(ctx context.Context, c caller, in importRequest) (out empty, err error) {
	if err := in.check(); err != nil {
		return out, err
	}
	return out, a.store.Import(ctx, c.app.ID, []string{in.UserID})
}

func (in importRequest) check() error {
	if len(in.Nick) > maxProfile || len(in.FaceURL) > maxProfile {
		return fail(codes.ProfileTooLong, "Nick and FaceUrl may have %d bytes", maxProfile)
	}
	return checkUser(in.UserID)
}

func checkUser(user string) error {
	if usersig.CheckUserID(user) != nil {
		return fail(codes.InvalidRequest, "UserID must be 1 to %d printable ASCII characters", usersig.MaxUserID)
	}
	return nil
}

type multiImportRequest struct {
	Accounts    []string        `json:",omitempty" doc:"userIDs" api:"maxitems=100"`
	AccountList []importRequest `json:",omitempty" doc:"the same with profiles, instead of Accounts or beside it" api:"maxitems=100"`
}

type multiImportReply struct {
	FailAccounts []string `doc:"userIDs that are none"`
}

// multiAccountImport makes accounts, unless they exist. It fails only if none of them could be made.
func (a *API) multiAccountImport(ctx context.Context, c caller, in multiImportRequest) (multiImportReply, error) {
	all := in.AccountList
	for _, user := range in.Accounts {
		all = append(all, importRequest{UserID: user})
	}
	out := multiImportReply{FailAccounts: []string{}}
	if err := checkCount("Accounts", len(all)); err != nil {
		return out, err
	}
	var good []string
	var wrong error
	for _, account := range all {
		if err := account.check(); err != nil {
			out.FailAccounts = append(out.FailAccounts, account.UserID)
			wrong = err
			continue
		}
		good = append(good, account.UserID)
	}
	if len(good) == 0 {
		bad := fail(common.codeOf(wrong), "none of the accounts can be made: %s", wrong)
		bad.partial = true
		return out, bad
	}
	return out, a.store.Import(ctx, c.app.ID, good)
}

func checkCount(field string, n int) error {
	if n == 0 || n > maxAccounts {
		return fail(codes.InvalidCount, "%s must hold 1 to %d accounts, not %d", field, maxAccounts, n)
	}
	return nil
}

// An item names one account of a batch.
type item struct {
	UserID string `doc:"an account" api:"required"`
}

type deleteRequest struct {
	DeleteItem []item `doc:"the accounts" api:"required,minitems=1,maxitems=100"`
}

type deleteReply struct {
	ResultItem []deleteResult `doc:"one for each account, in the order of the request"`
}

type deleteResult struct {
	itemResult
	Told        int             `json:",omitempty" doc:"how many instances heard it over a live connection"`
	Instances   []endedInstance `json:",omitempty" doc:"every session that was ended"`
	SilentNodes []string        `json:",omitempty" doc:"nodes that did not answer in time"`
}

type itemResult struct {
	ResultCode codes.Code `doc:"0, or what is wrong with this account"`
	ResultInfo string     `doc:"the same in words"`
	UserID     string     `doc:"the account"`
}

// accountDelete deletes accounts and ends their sessions; their tickets are refused from now on.
func (a *API) accountDelete(ctx context.Context, c caller, in deleteRequest) (out deleteReply, err error) {
	if err := checkCount("DeleteItem", len(in.DeleteItem)); err != nil {
		return out, err
	}
	out.ResultItem = make([]deleteResult, len(in.DeleteItem))
	each(len(in.DeleteItem), func(i int) {
		user := in.DeleteItem[i].UserID
		err := checkUser(user)
		var ended []server.Ending
		if err == nil {
			ended, err = a.sessions.DeleteAccount(ctx, c.key(user))
		}
		e := endings(ended)
		out.ResultItem[i] = deleteResult{a.result(user, err), e.Told, e.Instances, e.SilentNodes}
	})
	return out, nil
}

// result is what a batch says about one account.
func (a *API) result(user string, err error) itemResult {
	st := common.statusOf(err)
	if errors.Is(err, codes.AccountNotFound) {
		st.ErrorInfo = "Err_TLS_PT_Open_Login_Account_Not_Exist" // by this name Tencent's clients know it
	}
	if common.ours(st.ErrorCode) {
		a.log.Warn("rest: an account of a batch failed", "user", user, "error", err)
	}
	return itemResult{ResultCode: st.ErrorCode, ResultInfo: st.ErrorInfo, UserID: user}
}

type checkRequest struct {
	CheckItem []item `doc:"the accounts" api:"required,minitems=1,maxitems=100"`
}

type checkReply struct {
	ResultItem []checkResult `doc:"one for each account, in the order of the request"`
}

type checkResult struct {
	UserID        string     `doc:"the account"`
	ResultCode    codes.Code `doc:"0, or why nobody knows"`
	ResultInfo    string     `doc:"the same in words"`
	AccountStatus string     `doc:"whether there is an account; empty if nobody knows" api:"enum=Imported|NotImported|"`
}

// accountCheck says which accounts exist.
func (a *API) accountCheck(ctx context.Context, c caller, in checkRequest) (out checkReply, err error) {
	if err := checkCount("CheckItem", len(in.CheckItem)); err != nil {
		return out, err
	}
	out.ResultItem = make([]checkResult, len(in.CheckItem))
	each(len(in.CheckItem), func(i int) {
		user := in.CheckItem[i].UserID
		err := checkUser(user)
		if err == nil {
			_, err = a.store.Account(ctx, c.key(user))
		}
		r := checkResult{UserID: user, AccountStatus: "Imported"}
		if errors.Is(err, codes.AccountNotFound) {
			r.AccountStatus = "NotImported"
		} else if err != nil {
			known := a.result(user, err)
			r.ResultCode, r.ResultInfo, r.AccountStatus = known.ResultCode, known.ResultInfo, ""
		}
		out.ResultItem[i] = r
	})
	return out, nil
}

// each calls f for 0 to n-1, some at the same time, and waits for all.
func each(n int, f func(i int)) {
	var wait sync.WaitGroup
	room := make(chan struct{}, atOnce)
	for i := range n {
		room <- struct{}{}
		wait.Go(func() {
			f(i)
			<-room
		})
	}
	wait.Wait()
}
