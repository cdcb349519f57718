package admin

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"sync"

	"github.com/opentim/tim/codes"
)

const aboutAPI = `Every answer has HTTP status 200; go by ErrorCode. A request is made by an administrator of an app, who is named in the
server's configuration, with a UserSig of that administrator. A body has at most 64 KiB. Commands of tim_admin refuse fields that they do not know,
the others ignore them.

The envelope's own codes: 60002 the address or a parameter is malformed, 60003 the body is not JSON, 60004 identifier or usersig is missing,
60006 no such app, 60007 the command is called too often, 60008 no POST or too large a body, 60009 no such command, 60010 no administrator,
60011 the app calls too often, 60012 sdkappid is missing, 60015 identifier is no userID, 60021 the address
is not allowed; 70001 to 70052 say what is wrong with usersig,
70169 is a timeout and 70500 an error of the server: try again. For openim these two are 90992 and 90994 or 90995, and a body that is
not JSON is 90001.`

// document returns the OpenAPI document of all commands. It is the same each time.
var document = sync.OnceValue(func() []byte {
	paths := object{}
	for _, cmd := range commands {
		paths[Prefix+cmd.path] = object{"post": cmd.operation()}
	}
	body, err := json.MarshalIndent(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "tim REST API", "version": codes.Version, "description": aboutAPI,
			"license": object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"servers":  []object{{"url": "/"}},
		"security": []object{{"usersig": []string{}}},
		"paths":    paths,
		"components": object{
			"securitySchemes": object{"usersig": object{
				"type": "apiKey", "in": "query", "name": "usersig", "description": "a UserSig of the administrator",
			}},
			"parameters": parameters(),
		},
	}, "", "  ")
	if err != nil {
		panic("admin: the document is no JSON: " + err.Error())
	}
	return append(body, '\n')
})

func parameters() object {
	parameter := func(name, about string, required bool, schema object) object {
		return object{"name": name, "in": "query", "required": required, "description": about, "schema": schema}
	}
	return object{
		"sdkappid":    parameter("sdkappid", "the app", true, object{"type": "integer", "minimum": 1}),
		"identifier":  parameter("identifier", "the userID of an administrator of the app", true, object{"type": "string", "minLength": 1, "maxLength": 32}),
		"random":      parameter("random", "any number, different each time", true, object{"type": "integer", "minimum": 0, "maximum": uint32(math.MaxUint32)}),
		"contenttype": parameter("contenttype", "always json", false, object{"type": "string", "enum": []string{"json"}}),
	}
}

func (cmd *command) operation() object {
	refs := []object{}
	for _, name := range []string{"sdkappid", "identifier", "random", "contenttype"} {
		refs = append(refs, object{"$ref": "#/components/parameters/" + name})
	}
	about := fmt.Sprintf("At most %d calls a second of one app; answered within %v.", cmd.rate, cmd.time())
	if cmd.more != "" {
		about = cmd.more + "\n\n" + about
	}
	return object{
		"operationId": cmd.path[len(cmd.service())+1:], "tags": []string{cmd.service()},
		"summary": cmd.about, "description": about, "parameters": refs,
		"requestBody": object{"required": true, "content": content(schemaOf(cmd.action.in, cmd.strict()), json.RawMessage(cmd.request))},
		"responses": object{"200": object{
			"description": "OK or FAIL",
			"content":     content(cmd.replySchema(), cmd.replyExample()),
		}},
	}
}

func content(schema object, example json.RawMessage) object {
	return object{"application/json": object{"schema": schema, "example": example}}
}

// replySchema is the status and, if that is OK, all that the command answers.
func (cmd *command) replySchema() object {
	s := structSchema(reflect.TypeFor[status](), false)
	out := structSchema(cmd.action.out, false)
	maps.Copy(s["properties"].(object), out["properties"].(object))
	if out["required"] != nil {
		s["if"] = object{"properties": object{"ActionStatus": object{"const": "OK"}}}
		s["then"] = object{"required": out["required"]}
	}
	s["unevaluatedProperties"] = false
	return s
}

func (cmd *command) replyExample() json.RawMessage {
	body, err := status{ActionStatus: "OK"}.body(json.RawMessage(cmd.reply))
	if err != nil {
		panic("admin: the example of " + cmd.path + " is no JSON: " + err.Error())
	}
	return body
}
