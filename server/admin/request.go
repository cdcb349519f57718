package admin

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/admin/body"
	"github.com/opentim/tim/usersig"
)

const maxBody = 64 << 10

// A caller is the administrator who sent a request.
type caller struct {
	app   server.App
	admin string // empty until it is proven
}

func (c caller) key(user string) server.UserKey { return server.UserKey{App: c.app.ID, User: user} }

// find returns the command that a path names.
func find(path string) (*command, error) {
	name, ok := strings.CutPrefix(path, Prefix)
	service, rest, two := strings.Cut(name, "/")
	if !ok || !two || service == "" || rest == "" || strings.Contains(rest, "/") {
		return nil, fail(codes.InvalidURL, "the path must be %s<service>/<command>", Prefix)
	}
	if cmd := byName[name]; cmd != nil {
		return cmd, nil
	}
	return nil, fail(codes.InvalidResource, "there is no such command; %s lists them", OpenAPIPath)
}

// authorize returns who sends a request, if that is an administrator of the app and within its limits.
func (a *API) authorize(r *http.Request, cmd *command) (c caller, err error) {
	if r.Method != http.MethodPost {
		return c, fail(codes.InvalidHTTP, "the method must be POST, not %s", r.Method)
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return c, fail(codes.InvalidURL, "the parameters behind the ? cannot be read: escape what is no letter or digit")
	}
	if c.app, err = a.app(query); err != nil {
		return c, err
	}
	if err := checkAddress(c.app, r.RemoteAddr); err != nil {
		return c, err
	}
	admin, ticket := query.Get("identifier"), query.Get("usersig")
	if err := checkQuery(query, admin, ticket); err != nil {
		return c, err
	}
	if err := a.sessions.CheckTicket(r.Context(), c.key(admin), ticket); err != nil {
		return c, err
	}
	if !slices.Contains(c.app.Admins, admin) {
		return c, fail(codes.NotAdmin, "%s is no administrator of app %d: its admins are named in the server's configuration", admin, c.app.ID)
	}
	c.admin = admin
	return c, a.limits.take(c.app.ID, cmd)
}

// app returns the app of a request.
func (a *API) app(query url.Values) (server.App, error) {
	text := query.Get("sdkappid")
	if text == "" {
		return server.App{}, fail(codes.MissingSDKAppID, "the parameter sdkappid is missing")
	}
	id, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return server.App{}, fail(codes.InvalidSDKAppID, "the parameter sdkappid must be a number")
	}
	app, ok := a.sessions.App(id)
	if !ok {
		return server.App{}, fail(codes.InvalidSDKAppID, "this server does not serve SDKAppID %d", id)
	}
	return app, nil
}

// checkAddress refuses who calls from elsewhere than the app allows.
func checkAddress(app server.App, remote string) error {
	if len(app.AdminFrom) == 0 {
		return nil
	}
	client, _ := netip.ParseAddrPort(remote) // what is no address is in no network
	addr := client.Addr().Unmap()
	if slices.ContainsFunc(app.AdminFrom, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return nil
	}
	return fail(codes.AddressForbidden, "requests from %s are not allowed: the server's configuration lists the addresses of app %d under admin_allow", addr, app.ID)
}

// checkQuery checks the parameters whose meaning nobody has to be asked for.
func checkQuery(query url.Values, admin, ticket string) error {
	switch {
	case admin == "":
		return fail(codes.InvalidAccount, "the parameter identifier is missing: the userID of an administrator")
	case ticket == "":
		return fail(codes.InvalidAccount, "the parameter usersig is missing: a UserSig of the administrator")
	case usersig.CheckUserID(admin) != nil:
		return fail(codes.InvalidIDFormat, "the parameter identifier must be a userID: 1 to %d printable ASCII characters", usersig.MaxUserID)
	}
	if _, err := strconv.ParseUint(query.Get("random"), 10, 32); err != nil {
		return fail(codes.InvalidURL, "the parameter random must be a number from 0 to 4294967295")
	}
	if kind := query.Get("contenttype"); kind != "" && kind != "json" {
		return fail(codes.InvalidURL, "the parameter contenttype must be json")
	}
	return nil
}

// readBody returns the body of a request, if it is small enough.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return nil, fail(codes.InvalidHTTP, "the body has more than %d bytes: send fewer items at a time", maxBody)
	case err != nil:
		return nil, fail(codes.InvalidHTTP, "the body did not arrive whole")
	}
	return text, nil
}

// decode reads a request's body into a command's request. Where it is strict, a field that is not known is a mistake.
func decode(text []byte, into any, d dialect, strict bool) error {
	err := body.Decode(text, into, strict)
	var wrong *body.Mistake
	if !errors.As(err, &wrong) {
		return err
	}
	if wrong.InAField {
		return fail(d.badType, "%s", wrong.Text)
	}
	return fail(d.badJSON, "%s", wrong.Text)
}
