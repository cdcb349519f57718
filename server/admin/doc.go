// Package admin is the REST face of the server, in Tencent's form, and its metrics. A backend written for Tencent's REST API works
// by changing the host; the commands of tim_admin are ours.
//
// Read commands.go first: the table of all commands. Each row names a typed function such as
//
//	func (a *API) kick(ctx context.Context, c caller, in userRequest) (endedReply, error)
//
// and API.ServeHTTP does for all of them what is the same: the address, who calls, limits, JSON, codes and the log. The OpenAPI
// document is made from the same table and types.
package admin
