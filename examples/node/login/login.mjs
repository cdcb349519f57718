// Logs in, tells what happens, and logs out at Ctrl-C:
//
//     npm install
//     timd dev --json > dev.json &
//     node login.mjs dev.json
//
// The file is what timd tells about itself: endpoint, app, user and ticket. An app gets its tickets from its own backend.

import { readFileSync } from 'node:fs';
import { TimClient } from '@opentim/node';

const { endpoint, app, user, ticket } = JSON.parse(readFileSync(process.argv[2], 'utf8'));

const client = new TimClient({ endpoint, sdkAppID: app });
client.on('connecting', () => console.log('connecting'));
client.on('connected', ({ resumed }) => console.log(resumed ? 'connected again' : 'connected'));
client.on('disconnected', ({ code, text }) => code && console.log(`connection lost: ${text}`));
client.on('kickedOffline', ({ text }) => console.log(`signed out: ${text}`));
client.on('userSigExpired', () => console.log('the ticket ended'));

process.once('SIGINT', async () => {
  await client.logout().catch(() => {}); // nobody may be logged in any more
  await client.close();
  console.log('logged out');
});

try {
  await client.login(user, ticket);
  console.log(`${client.user} is logged in; Ctrl-C logs out`);
} catch (error) {
  console.log(`failed: ${error.message}`);
  process.exitCode = 1;
}
