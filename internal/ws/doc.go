// Package ws is a WebSocket as a pipe of frames, over gorilla/websocket: subprotocol tim.v1, one frame of internal/wire in
// each binary message, at most 64 KiB. Dial makes the client's end, a Conn; an Upgrader the server's, a ServerConn.
//
// Nothing that is secret belongs into a URL: it ends up in the access log of every proxy. Tickets travel in frames only.
package ws
