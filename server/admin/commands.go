package admin

// commands are all that this API can do, in the order of the document.
var commands = []*command{
	{
		path: "im_open_login_svc/account_import", about: "Make an account", rate: 200,
		more:    "An account that exists stays as it is. A first login makes the account just as well.",
		action:  typed((*API).accountImport),
		request: `{"UserID":"alice","Nick":"Alice","FaceUrl":"https://www.example.com/alice.png"}`, reply: `{}`,
	},
	{
		path: "im_open_login_svc/multiaccount_import", about: "Make up to 100 accounts", rate: 100,
		more:    "Accounts that exist stay as they are. The answer is FAIL only if none could be made.",
		action:  typed((*API).multiAccountImport),
		request: `{"Accounts":["alice","bob","carol"]}`, reply: `{"FailAccounts":[]}`,
	},
	{
		path: "im_open_login_svc/account_delete", about: "Delete up to 100 accounts", rate: 100,
		more:    "Their sessions end with account_deleted. Tickets that were made before are refused, also when the account is made again.",
		action:  typed((*API).accountDelete),
		request: `{"DeleteItem":[{"UserID":"bob"},{"UserID":"nobody"}]}`,
		reply: `{"ResultItem":[{"ResultCode":0,"ResultInfo":"","UserID":"bob","Told":1,"Instances":[{"Session":"bWVyY3VyeQ5bGlmZQ",
				"Instance":"01JD9","Platform":"ios","Label":"Bob's phone","Node":"node-1.5f3a","Result":"told"}]},
			{"ResultCode":70107,"ResultInfo":"Err_TLS_PT_Open_Login_Account_Not_Exist","UserID":"nobody"}]}`,
	},
	{
		path: "im_open_login_svc/account_check", about: "Ask which of up to 100 accounts exist", rate: 100,
		action:  typed((*API).accountCheck),
		request: `{"CheckItem":[{"UserID":"alice"},{"UserID":"nobody"}]}`,
		reply: `{"ResultItem":[{"UserID":"alice","ResultCode":0,"ResultInfo":"","AccountStatus":"Imported"},
			{"UserID":"nobody","ResultCode":0,"ResultInfo":"","AccountStatus":"NotImported"}]}`,
	},
	{
		path: "im_open_login_svc/kick", about: "End every session of a user, and refuse the tickets made so far", rate: 200,
		more:    "A ticket made in the same second or later is accepted. An error other than 70107 means that not everything may have happened: call again.",
		action:  typed((*API).kick),
		request: `{"UserID":"alice"}`,
		reply: `{"Told":1,"Instances":[{"Session":"bWVyY3VyeQ5bGlmZQ","Instance":"01JD9","Platform":"ios","Label":"Alice's phone",
			"Node":"node-1.5f3a","Result":"told"}],"SilentNodes":[]}`,
	},
	{
		path: "openim/query_online_status", about: "Ask which of up to 500 users are online", rate: 200,
		more:    "The answer is FAIL only if no user could be looked up.",
		action:  typed((*API).queryOnlineStatus),
		request: `{"To_Account":["alice","bob","nobody"],"IsNeedDetail":1}`,
		reply: `{"QueryResult":[{"To_Account":"alice","Status":"Online","Detail":[{"Platform":"iPhone","Status":"PushOnline"},
			{"Platform":"Web","Status":"Online"}]},{"To_Account":"bob","Status":"Offline","Detail":[]}],
			"ErrorList":[{"To_Account":"nobody","ErrorCode":70107}]}`,
	},
	{
		path: "openim/querystate", about: "The same as query_online_status, for older clients", rate: 200,
		action:  typed((*API).queryState),
		request: `{"To_Account":["alice","bob"]}`,
		reply:   `{"QueryResult":[{"To_Account":"alice","State":"Online"},{"To_Account":"bob","State":"Offline"}]}`,
	},
	{
		path: "tim_admin/sessions", about: "List the sessions of a user", rate: 200,
		action:  typed((*API).listSessions),
		request: `{"UserID":"alice"}`,
		reply: `{"Sessions":[{"Session":"bWVyY3VyeQ5bGlmZQ","Instance":"01JD9","Platform":"ios","Label":"Alice's phone","Status":"Online",
			"Node":"node-1.5f3a","LoginSeq":1795331970000000,"LoginTimeMs":1795331970000,"TicketExpiresMs":1795936770000,"Resumes":2}]}`,
	},
	{
		path: "tim_admin/kick_instance", about: "End the sessions of one installation of a user", rate: 100,
		more:    "It may log in again with the same ticket.",
		action:  typed((*API).kickInstance),
		request: `{"UserID":"alice","Instance":"01JD9"}`,
		reply: `{"Told":0,"Instances":[{"Session":"bWVyY3VyeQ5bGlmZQ","Instance":"01JD9","Platform":"ios","Label":"Alice's phone",
			"Node":"node-2.77c0","Result":"silent"}],"SilentNodes":["node-2.77c0"]}`,
	},
	{
		path: "tim_admin/ban", about: "Refuse a user's logins and end the sessions", rate: 100,
		action:  typed((*API).ban),
		request: `{"UserID":"bob","Seconds":86400}`, reply: `{"Told":0,"Instances":[],"SilentNodes":[]}`,
	},
	{
		path: "tim_admin/unban", about: "End a ban", rate: 100,
		action:  typed((*API).unban),
		request: `{"UserID":"bob"}`, reply: `{}`,
	},
	{
		path: "tim_admin/get_login_settings", about: "Ask who may be online together", rate: 100,
		action:  typed((*API).getLoginSettings),
		request: `{"History":1}`,
		reply: `{"Policy":"triple","Limits":{"ios":1,"ipad":1,"android":1,"windows":1,"mac":1,"linux":1,"web":5},"Version":1,
			"ChangedBy":"administrator","ChangedAtMs":1795331970000,"History":[{"Policy":"triple","Limits":{"ios":1,"ipad":1,"android":1,
			"windows":1,"mac":1,"linux":1,"web":5},"Version":1,"ChangedBy":"administrator","ChangedAtMs":1795331970000}]}`,
	},
	{
		path: "tim_admin/set_login_settings", about: "Change who may be online together", rate: 10,
		more: "It takes effect on every node within 2 seconds. Sessions that have to leave by stricter settings are ended at a steady pace. " +
			"Code 7014 means that the settings are no longer those of Version.",
		action:  typed((*API).setLoginSettings),
		request: `{"Policy":"triple","Limits":{"web":5}}`,
		reply: `{"Policy":"triple","Limits":{"ios":1,"ipad":1,"android":1,"windows":1,"mac":1,"linux":1,"web":5},"Version":1,
			"ChangedBy":"administrator","ChangedAtMs":1795331970000}`,
	},
	{
		path: "tim_admin/simulate", about: "Ask who would be kicked if the settings were changed", rate: 2, most: simulateTime,
		more:    "Nothing changes. It looks at every user who is online: do not call it all the time.",
		action:  typed((*API).simulate),
		request: `{"Policy":"single"}`,
		reply:   `{"Users":1200,"Sessions":1900,"Affected":310,"Kicked":{"multiple_account":4,"multiple_device":312}}`,
	},
	{
		path: "tim_admin/get_dau", about: "Count the users who logged in: by day, week and month", rate: 2, most: dauTime,
		more:    "A session that comes back on another day counts on that day, too.",
		action:  typed((*API).getDAU),
		request: `{"From":"2026-11-21","To":"2026-11-22"}`,
		reply:   `{"Zone":"UTC","Days":[{"Day":"2026-11-21","DAU":970,"WAU":2210,"MAU":5032},{"Day":"2026-11-22","DAU":1011,"WAU":2240,"MAU":5060}]}`,
	},
	{
		path: "tim_admin/diagnose_usersig", about: "Ask what is wrong with a ticket", rate: 20,
		action:  typed((*API).diagnoseUserSig),
		request: `{"UserSig":"eJwtzMEKgkAUheFXkVmHzIw6Mwgt","UserID":"alice"}`,
		reply: `{"Code":70003,"Text":"the ticket cannot be read","Problems":["it is cut off"],"Hints":[],"KeyFits":false,
			"Ticket":{"SDKAppID":0,"UserID":"","IssuedMs":0,"ExpiresMs":0}}`,
	},
}

var byName = func() map[string]*command {
	all := make(map[string]*command)
	for _, cmd := range commands {
		all[cmd.path] = cmd
	}
	return all
}()
