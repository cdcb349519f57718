// The backend of an app, as far as tickets go: a person signs in with a password, and the app then fetches tickets for that
// person and nobody else.
//
//     npm install
//     echo 'correct horse' | node passwords.mjs alice >> users.jsonl
//     TIM_APP=1400000001 TIM_KEY_FILE=app.key node server.mjs
//
//     POST /session {"name": "alice", "password": "correct horse"}    201 {"token": "…"}
//     POST /ticket, with Authorization: Bearer TOKEN                  200 {"userID", "ticket", "expires"}
//
// What any such server has to keep: the app's key stays here; the userID of a ticket comes from the session, never from the
// request; passwords, tokens and tickets are in no log; guessing is slow. In production it stands behind TLS, and sessions
// live in a store that all processes share.

import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { sign } from '@opentim/usersig';
import { matches, readUsers } from './passwords.mjs';

const { TIM_APP, TIM_KEY_FILE, USERS_FILE = 'users.jsonl', PORT = '8080' } = process.env;
const app = Number(TIM_APP);
const key = readFileSync(TIM_KEY_FILE, 'utf8').trim();
const users = readUsers(USERS_FILE);
sign(app, key, 'check', 60); // throws now if the app or the key cannot be

const TICKET_SECONDS = 24 * 3600; // short: whoever was dismissed yesterday has no ticket today
const SESSION_MS = 30 * 24 * 3600_000;

/** Sessions by the hash of their token: who reads this memory cannot sign in with it. */
const sessions = new Map();
setInterval(() => {
  for (const [hash, { until }] of sessions) if (until < Date.now()) sessions.delete(hash);
}, 3600_000).unref();
const hashOf = (token) => createHash('sha256').update(token).digest('hex');

const http = express();
http.disable('x-powered-by');
http.use(express.json({ limit: '1kb' }));
http.use((_, response, next) => {
  response.set('Cache-Control', 'no-store');
  next();
});

/** So many calls a minute of one address or one user. */
const limit = (count, keyGenerator) =>
  rateLimit({ windowMs: 60_000, limit: count, ...(keyGenerator && { keyGenerator }) });

http.post('/session', limit(10), async (request, response) => {
  const { name, password } = request.body ?? {};
  if (typeof name !== 'string' || typeof password !== 'string')
    return response.status(400).json({ error: 'name and password are strings' });
  if (!(await matches(users.get(name), password)))
    return response.status(401).json({ error: 'wrong name or password' });
  const token = randomBytes(32).toString('base64url');
  sessions.set(hashOf(token), { name, until: Date.now() + SESSION_MS });
  response.status(201).json({ token });
});

/** Lets only those pass who have a session, and says who they are. */
function signedIn(request, response, next) {
  const [, token = ''] = /^Bearer (\S+)$/.exec(request.get('Authorization') ?? '') ?? [];
  const session = sessions.get(hashOf(token));
  if (session === undefined || session.until < Date.now())
    return response.status(401).json({ error: 'sign in first' });
  request.user = session.name;
  next();
}

http.post(
  '/ticket',
  signedIn,
  limit(20, ({ user }) => user),
  ({ user: userID }, response) => {
    const ticket = sign(app, key, userID, TICKET_SECONDS);
    response.json({ userID, ticket, expires: new Date(Date.now() + TICKET_SECONDS * 1000) });
  },
);

// Express would print the error, and the request may be in it.
http.use((error, _request, response, _next) => {
  const { status = 500 } = error;
  if (status === 500) console.error(error.name);
  response
    .status(status)
    .json({ error: status === 500 ? 'a mistake of ours' : 'the request is not understood' });
});

const server = http.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
process.once('SIGTERM', () => server.close());
