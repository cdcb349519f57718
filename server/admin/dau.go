package admin

import (
	"context"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

const (
	maxDays = 31 // in one request
	dauTime = 20 * time.Second
)

type dauRequest struct {
	From string `json:",omitempty" doc:"first day, in the app's time zone; none means today" api:"date"`
	To   string `json:",omitempty" doc:"last day, at most 31 days in all; none means the first" api:"date"`
}

type dauReply struct {
	Zone string      `doc:"the app's time zone"`
	Days []dayActive `doc:"oldest first"`
}

type dayActive struct {
	Day string `doc:"the day" api:"date"`
	DAU int64  `doc:"users who logged in or came back on that day"`
	WAU int64  `doc:"users who logged in or came back on that day or the 6 before"`
	MAU int64  `doc:"users who logged in or came back on that day or the 29 before"`
}

// getDAU counts the users who logged in, exactly.
func (a *API) getDAU(ctx context.Context, c caller, in dauRequest) (out dauReply, err error) {
	from, err := dayOf(in.From, "From", server.DayOf(time.Now(), c.app.Zone))
	if err != nil {
		return out, err
	}
	to, err := dayOf(in.To, "To", from)
	if err != nil {
		return out, err
	}
	if to < from || to-from >= maxDays {
		return out, fail(codes.InvalidRequest, "To must be From or up to %d days later", maxDays-1)
	}
	out = dauReply{Zone: c.app.Zone.String(), Days: []dayActive{}}
	for day := from; day <= to; day++ {
		one := dayActive{Day: dateOf(day)}
		for _, span := range []struct {
			before server.Day
			users  *int64
		}{{0, &one.DAU}, {6, &one.WAU}, {29, &one.MAU}} {
			actives, err := a.store.Actives(ctx, c.app.ID, day-span.before, day)
			if err != nil {
				return out, err
			}
			*span.users = actives.Users
		}
		out.Days = append(out.Days, one)
	}
	return out, nil
}

func dayOf(text, field string, missing server.Day) (server.Day, error) {
	if text == "" {
		return missing, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fail(codes.InvalidRequest, "%s must be a day such as 2026-11-22, not %q", field, text)
	}
	return server.DayOf(t, time.UTC), nil
}

func dateOf(day server.Day) string {
	return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly)
}
