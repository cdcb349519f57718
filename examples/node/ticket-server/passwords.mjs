// Passwords of users, as they are kept: a salt and what scrypt makes of both. An app that has accounts already uses those.
//
//     node passwords.mjs alice < password.txt >> users.jsonl    adds alice

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const derive = promisify(scrypt);

/** Reads a file with a line for each user. */
export function readUsers(file) {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return new Map(lines.map((line) => JSON.parse(line)).map((user) => [user.name, user]));
}

/** The line of a user. */
export async function newUser(name, password) {
  const salt = randomBytes(16).toString('base64url');
  return { name, salt, hash: (await derive(password, salt, 32)).toString('base64url') };
}

const nobody = await newUser('', randomBytes(16));

/** Whether password is the user's. It takes as long for a user that there is not. */
export async function matches(user = nobody, password) {
  const hash = await derive(password, user.salt, 32);
  return timingSafeEqual(hash, Buffer.from(user.hash, 'base64url')) && user !== nobody;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(await newUser(process.argv[2], readFileSync(0, 'utf8').trim())));
}
