package wire_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// frames is one frame of each kind, by the name it has in spec/protocol.md.
var frames = map[string]wire.Frame{
	"login": &wire.Login{}, "resume": &wire.Resume{}, "renew": &wire.Renew{}, "logout": &wire.Logout{}, "call": &wire.Call{},
	"accepted": &wire.Accepted{}, "refused": &wire.Refused{}, "reply": &wire.Reply{}, "kicked": &wire.Kicked{},
	"ticket": &wire.Ticket{}, "bye": &wire.Bye{},
}

func protocol(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../spec/protocol.md")
	require.NoError(t, err)
	return string(data)
}

// A row is a line of the table of frames in the document.
type row struct {
	arrow, kind, name string
	fields            []string
}

func frameTable(t *testing.T) map[string]row {
	t.Helper()
	table := map[string]row{}
	for _, m := range regexp.MustCompile("(?m)^\\| ([→←]) \\| (\\d+) \\| `(\\w+)` \\| ([^|]+) \\|").FindAllStringSubmatch(protocol(t), -1) {
		table[m[3]] = row{m[1], m[2], m[3], strings.Split(m[4], ", ")}
	}
	return table
}

func TestTheTableOfFramesIsTheCode(t *testing.T) {
	table := frameTable(t)
	require.Len(t, table, len(frames))
	for name, f := range frames {
		row := table[name]
		require.Equal(t, strconv.Itoa(int(f.Kind())), row.kind, name)
		require.Equal(t, map[bool]string{true: "→", false: "←"}[f.Kind() < 16], row.arrow, name)

		fields := reflect.TypeOf(f).Elem()
		require.Len(t, row.fields, fields.NumField(), name)
		for i, field := range row.fields {
			word := strings.ReplaceAll(strings.TrimSuffix(strings.TrimSpace(field), "_ms"), "_", "")
			require.True(t, strings.EqualFold(fields.Field(i).Name, word), "%s: field %d is %s, not %s", name, i+1, fields.Field(i).Name, word)
		}
	}
}

func TestTheTableOfCloseCodesIsComplete(t *testing.T) {
	documented := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| (3\\d{3}) \\| `(\\w+)` \\|").FindAllStringSubmatch(protocol(t), -1) {
		documented[m[1]] = m[2]
	}
	actual := map[string]string{}
	for _, c := range codes.All() {
		if c.CloseCode() != 0 {
			actual[strconv.Itoa(c.CloseCode())] = c.Name()
		}
	}
	require.Equal(t, actual, documented)
}

func TestTheConversationInTheDocumentIsWhatTheCodeSays(t *testing.T) {
	table := frameTable(t)
	spoken := map[string]bool{}
	blocks := regexp.MustCompile("(?ms)^```wire\n(.*?)^```").FindAllStringSubmatch(protocol(t), -1)
	require.NotEmpty(t, blocks)
	for _, b := range blocks {
		for _, block := range strings.Split(strings.TrimSpace(b[1]), "\n\n") {
			head, body, _ := strings.Cut(block, "\n")
			switch {
			case strings.HasPrefix(head, "← WebSocket ping"):
				clock := bytesOf(t, body)
				require.Len(t, clock, 8)
				var ms int64
				for _, b := range clock {
					ms = ms<<8 | int64(b)
				}
				require.Regexp(t, fmt.Sprintf(` server_time_ms +%d$`, ms), body)
			case strings.HasPrefix(head, "← WebSocket close"):
				var code int
				var name string
				_, err := fmt.Sscanf(head, "← WebSocket close %d %s", &code, &name)
				require.NoError(t, err, head)
				c, ok := codes.FromCloseCode(code)
				require.True(t, ok, head)
				require.Equal(t, c.Name(), name)
			default:
				f, err := wire.Decode(bytesOf(t, body))
				require.NoError(t, err, block)
				name := strings.Fields(head)[1]
				require.IsType(t, frames[name], f, block)
				require.Equal(t, describe(t, table[name], f), block, "the document should have the first text")
				spoken[name] = true
			}
		}
	}
	for name := range frames {
		require.True(t, spoken[name], "the conversation has no %s", name)
	}
}

var hexColumn = regexp.MustCompile(`(?m)^((?:[0-9a-f]{2} ?)+)(?:  |$)`)

// bytesOf returns the bytes at the start of each line.
func bytesOf(t *testing.T, block string) (all []byte) {
	t.Helper()
	for _, m := range hexColumn.FindAllStringSubmatch(block, -1) {
		line, err := hex.DecodeString(strings.ReplaceAll(m[1], " ", ""))
		require.NoError(t, err)
		all = append(all, line...)
	}
	return all
}

// describe writes f as the document does: a line for each field, with its bytes, name and value.
func describe(t *testing.T, r row, f wire.Frame) string {
	t.Helper()
	data := wire.Append(nil, f)
	src := bytes.NewReader(data)
	dec := msgpack.NewDecoder(src)
	_, err := dec.DecodeArrayLen()
	require.NoError(t, err)
	start := 0
	next := func() []byte {
		end := len(data) - src.Len()
		part := data[start:end]
		start = end
		return part
	}

	var out strings.Builder
	const perLine = 16
	line := func(part []byte, name, value string) {
		for len(part) > perLine {
			fmt.Fprintf(&out, "% x\n", part[:perLine])
			part = part[perLine:]
		}
		text := fmt.Sprintf("%-*s  %-19s %s", perLine*3-1, fmt.Sprintf("% x", part), name, value)
		out.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	fmt.Fprintf(&out, "%s %s\n", r.arrow, r.name)
	line(next(), fmt.Sprintf("array of %d", len(r.fields)+1), "")
	fields := reflect.ValueOf(f).Elem()
	for i := -1; i < fields.NumField(); i++ {
		require.NoError(t, dec.Skip())
		if i < 0 {
			line(next(), "type", r.kind)
		} else {
			line(next(), strings.TrimSpace(r.fields[i]), show(fields.Field(i).Interface()))
		}
	}
	require.Equal(t, len(data), start)
	return strings.TrimSuffix(out.String(), "\n")
}

// show writes a value for people.
func show(v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(v)
	case []byte:
		return fmt.Sprintf("h'%x'", v)
	case codes.Code:
		return fmt.Sprintf("%d %s", int(v), v.Name())
	case fmt.Stringer:
		number := fmt.Sprintf("%d", v)
		if v.String() == number {
			return number
		}
		return number + " " + v.String()
	default:
		return fmt.Sprint(v)
	}
}
