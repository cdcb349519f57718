// Package usersig signs, verifies and explains tickets: UserSig in the form TLSSigAPIv2.
//
// A ticket is proof, made by an app's own backend, that its bearer is a certain user until a certain second. The backend
// calls Sign and hands the text to the app; the server that the app logs in to asks a Verifier. Explain tells a person
// in words what is wrong with a ticket.
//
// # What is in a ticket
//
// A JSON object with the members TLS.ver ("2.0"), TLS.identifier (the userID), TLS.sdkappid, TLS.time (when it was signed, in
// Unix seconds), TLS.expire (for how many seconds it is good), TLS.userbuf (optional bytes, in base64) and TLS.sig: the
// HMAC-SHA256, in base64, of
//
//	TLS.identifier:alice\n
//	TLS.sdkappid:1400000000\n
//	TLS.time:1700000000\n
//	TLS.expire:86400\n
//	TLS.userbuf:AAEC\n      (only if there is one)
//
// under the app's key, which is used as the text it is, even where it looks like hex. The object is compressed with zlib and
// written in base64 with * for +, - for / and _ for =.
//
// Two tickets with the same content may differ in text: the order of the members, blanks and the way of compressing are free.
// This package reads all of them and writes one, uncompressed inside its zlib frame, which is the cheapest to verify.
//
// # Keys
//
// Whoever has the key can sign in as anybody. Keep it in the backend. Nothing in this package prints a key or a whole ticket.
package usersig
