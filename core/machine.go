package core

// A state is where a client stands with its server. The public login status and connection state follow from it.
type state string

const (
	loggedOut      state = "LoggedOut"      // no session
	dialing        state = "Dialing"        // a connection is being made
	authenticating state = "Authenticating" // the login or the resume was sent
	online         state = "Online"         // the server has accepted it
	waiting        state = "Waiting"        // for the next try
)

// A kind tells signals apart.
type kind string

const (
	// What callers want. What a login means depends on who is logged in or logging in.
	login         kind = "login"      // nobody
	join          kind = "join"       // the same user is logging in with the same ticket
	supersede     kind = "supersede"  // the same user is logging in with another ticket
	repeat        kind = "repeat"     // the same user is logged in
	switchUser    kind = "switchUser" // another user is logging in or logged in
	spent         kind = "spent"      // anybody, or a renew; the server has called the ticket expired
	renew         kind = "renew"
	logout        kind = "logout"
	wake          kind = "wake"
	restart       kind = "restart"  // a wake that finds a try already old
	forsaken      kind = "forsaken" // a caller does not wait any more
	setBackground kind = "setBackground"
	closing       kind = "closing"

	// What the connection brings. A framed is renamed to what the frame means.
	dialed   kind = "dialed"
	framed   kind = "framed"
	accepted kind = "accepted"
	refused  kind = "refused"  // and the code does not say retry
	deferred kind = "deferred" // refused, but not for good
	fallBack kind = "fallBack" // refused, but there is something else to sign in with
	kicked   kind = "kicked"
	expired  kind = "expired"
	stopped  kind = "stopped" // the server said not to come back
	expiring kind = "expiring"
	replied  kind = "replied"
	heard    kind = "heard" // a ping or a pong
	lost     kind = "lost"

	// What time brings.
	tick     kind = "tick"     // look at the alarms
	retry    kind = "retry"    // the wait is over
	silent   kind = "silent"   // no answer to a probe
	timedOut kind = "timedOut" // nobody may wait for the login any longer
	givenUp  kind = "givenUp"  // nobody wants to wait for the login any longer
	ask      kind = "ask"      // the ticket should be renewed

	// What other goroutines bring.
	provided kind = "provided" // the ticket provider returned
	parted   kind = "parted"   // the server was told of a logout, or cannot be
	broke    kind = "broke"    // a goroutine panicked
)

// An action is a part of a transition: the method of engine with the same name. It never waits.
type action string

const (
	begin         action = "begin"         // a session for the caller
	dial          action = "dial"          // a new connection
	listen        action = "listen"        // to the connection that was made
	introduce     action = "introduce"     // send the login or the resume
	admit         action = "admit"         // take what the server accepted, answer the callers
	takeOther     action = "takeOther"     // what was sent is of no use any more
	await         action = "await"         // the next try
	awaitNothing  action = "awaitNothing"  // try again at once
	hurry         action = "hurry"         // make waits start from the base again
	probe         action = "probe"         // ask for a sign of life
	hangUp        action = "hangUp"        // give the connection up
	end           action = "end"           // the session, and say why
	part          action = "part"          // end the session and tell the server
	again         action = "again"         // apply the login, now that nobody is logged in
	joinLogin     action = "joinLogin"     // wait for the answer with the others
	replaceTicket action = "replaceTicket" // and wait with the others
	repeatLogin   action = "repeatLogin"   // success; renew another ticket
	keepRenewal   action = "keepRenewal"   // send it now or when the connection is back
	finishRenewal action = "finishRenewal" // take what the server replied
	noteExpiry    action = "noteExpiry"    // when the server says the ticket ends
	askTicket     action = "askTicket"     // of the provider or the application
	setClock      action = "setClock"      // by the server's
	refuseCall    action = "refuseCall"    // nobody is logged in
)

// A rule says what a signal does: the state after it, and what is done on the way.
type rule struct {
	to state
	do []action
}

func do(actions ...action) []action { return actions }

// transitions is the whole life of a session. A signal that is absent from a row means nothing in that state and is
// dropped; calls are never absent.
var transitions = map[state]map[kind]rule{
	loggedOut: {
		login:  {dialing, do(begin, dial)},
		renew:  {loggedOut, do(refuseCall)},
		logout: {loggedOut, do(refuseCall)},
	},
	dialing: {
		dialed:     {authenticating, do(listen, introduce)},
		lost:       {waiting, do(hangUp, await)},
		wake:       {dialing, do(hurry)},
		restart:    {dialing, do(hurry, hangUp, dial)},
		join:       {dialing, do(joinLogin)},
		supersede:  {dialing, do(replaceTicket, hangUp, dial)},
		repeat:     {dialing, do(repeatLogin)},
		renew:      {dialing, do(keepRenewal)},
		timedOut:   {loggedOut, do(part)},
		givenUp:    {loggedOut, do(part)},
		switchUser: {loggedOut, do(part, again)},
		logout:     {loggedOut, do(part)},
	},
	authenticating: {
		accepted:   {online, do(admit)},
		fallBack:   {authenticating, do(takeOther, introduce)},
		deferred:   {waiting, do(hangUp, await)},
		lost:       {waiting, do(hangUp, await)},
		refused:    {loggedOut, do(end)},
		kicked:     {loggedOut, do(end)},
		expired:    {loggedOut, do(end)},
		stopped:    {loggedOut, do(end)},
		wake:       {authenticating, do(hurry)},
		restart:    {dialing, do(hurry, hangUp, dial)},
		join:       {authenticating, do(joinLogin)},
		supersede:  {dialing, do(replaceTicket, hangUp, dial)},
		repeat:     {authenticating, do(repeatLogin)},
		renew:      {authenticating, do(keepRenewal)},
		timedOut:   {loggedOut, do(part)},
		givenUp:    {loggedOut, do(part)},
		switchUser: {loggedOut, do(part, again)},
		logout:     {loggedOut, do(part)},
	},
	online: {
		heard:      {online, do(setClock)},
		replied:    {online, do(finishRenewal)},
		expiring:   {online, do(noteExpiry, askTicket)},
		lost:       {waiting, do(hangUp, await)},
		silent:     {waiting, do(hangUp, awaitNothing)},
		kicked:     {loggedOut, do(end)},
		expired:    {loggedOut, do(end)},
		stopped:    {loggedOut, do(end)},
		wake:       {online, do(hurry, probe)},
		repeat:     {online, do(repeatLogin)},
		renew:      {online, do(keepRenewal)},
		switchUser: {loggedOut, do(part, again)},
		logout:     {loggedOut, do(part)},
	},
	waiting: {
		retry:      {dialing, do(dial)},
		wake:       {dialing, do(hurry, dial)},
		join:       {waiting, do(joinLogin)},
		supersede:  {dialing, do(replaceTicket, dial)},
		repeat:     {waiting, do(repeatLogin)},
		renew:      {waiting, do(keepRenewal)},
		timedOut:   {loggedOut, do(part)},
		givenUp:    {loggedOut, do(part)},
		switchUser: {loggedOut, do(part, again)},
		logout:     {loggedOut, do(part)},
	},
}
