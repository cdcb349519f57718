package usersig

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"

	"github.com/opentim/tim/codes"
)

// parse fills c from any JSON object: other members of any kind, any spelling. Of members with the same name the last
// counts; null counts as not there.
func (c *claims) parse(doc []byte) *refusal {
	*c = claims{}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(doc, &object); err != nil {
		if _, syntax := errors.AsType[*json.SyntaxError](err); syntax {
			return refuse(codes.TicketUnreadable, "does not hold JSON")
		}
		return refuse(codes.TicketMalformed, "does not hold a JSON object")
	}
	for _, name := range memberNames {
		value, ok := object[name]
		if !ok || string(value) == "null" {
			continue
		}
		bit, text, number := c.member([]byte(name))
		c.seen |= bit
		if text != nil {
			var s string
			if json.Unmarshal(value, &s) != nil {
				return refuse(codes.TicketMalformed, "has a %s that is no string", name)
			}
			*text = []byte(s)
			continue
		}
		n, ok := wholeNumber(string(value))
		if !ok {
			return refuse(codes.TicketMalformed, "has a %s that is no whole number, 0 or more", name)
		}
		*number = n
	}
	return nil
}

// wholeNumber reads a JSON number such as 60, 60.0 or 6e1.
func wholeNumber(literal string) (uint64, bool) {
	if n, err := strconv.ParseUint(literal, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil || f != math.Trunc(f) || f < 0 || f > maxNumber {
		return 0, false
	}
	return uint64(f), true
}
