package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/usersig"
)

// CheckTicket returns why a login of key with ticket would be refused now, without logging in. That the account does not exist
// yet is no reason. A *Refusal says what is wrong with the ticket or the account; any other error, that nobody knows.
func (s *Sessions) CheckTicket(ctx context.Context, key UserKey, ticket string) error {
	now := time.Now()
	a := s.apps[key.App]
	if a == nil {
		return refuse(codes.AppNotFound, "SDKAppID %d is not served here", key.App)
	}
	held, err := a.tickets.Verify(ticket, key.User, now)
	if err != nil {
		return refuseTicket(err)
	}
	account, err := s.o.Store.Account(ctx, key)
	if err != nil && !errors.Is(err, codes.AccountNotFound) {
		return fmt.Errorf("check a ticket of %s: %w", key.User, err)
	}
	if bad := permit(account, s.ticketProof(held.Issued), now); bad != nil {
		return bad
	}
	return nil
}

// ExplainTicket says in words how ticket fares as a ticket of key now. An empty user is not compared. It knows nothing of bans
// and revocations: CheckTicket does.
func (s *Sessions) ExplainTicket(key UserKey, ticket string) (usersig.Explanation, error) {
	a := s.apps[key.App]
	if a == nil {
		return usersig.Explanation{}, refuse(codes.AppNotFound, "SDKAppID %d is not served here", key.App)
	}
	return a.tickets.Explain(ticket, key.User, time.Now()), nil
}
