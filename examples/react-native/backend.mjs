// A backend for trying the app out. It believes everybody, so it listens on this computer only:
//
//     timd dev --json > dev.json &
//     node backend.mjs dev.json

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { sign } from '@opentim/usersig';

const { app, key_file } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const key = readFileSync(key_file, 'utf8').trim();

createServer((request, response) => {
  const user = new URL(request.url, 'http://localhost').searchParams.get('user');
  try {
    response.end(sign(app, key, user, 24 * 60 * 60));
  } catch (error) {
    response.writeHead(400).end(error.message);
  }
}).listen(7780, '127.0.0.1');
