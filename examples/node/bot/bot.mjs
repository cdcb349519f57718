// A bot that stays online. It runs beside the backend and has the app's key, so it makes its own tickets.
//
//     npm install
//     TIM_ENDPOINT=wss://tim.example.com TIM_APP=1400000001 TIM_KEY_FILE=app.key node bot.mjs news
//
// Who does what: the engine comes back after lost connections and restarts of the server, and asks ticketProvider before a
// ticket ends. The bot tries again while the first login fails for the network's sake, and ends when somebody ends its session,
// so that two bots of one name do not push each other out for ever. A supervisor such as systemd restarts it after a mistake.

import { readFileSync } from 'node:fs';
import { setTimeout as pass } from 'node:timers/promises';
import { Code, TimClient } from '@opentim/node';
import { sign } from '@opentim/usersig';

const { TIM_ENDPOINT: endpoint, TIM_APP, TIM_KEY_FILE, TICKET_SECONDS = '86400' } = process.env;
const app = Number(TIM_APP);
const key = readFileSync(TIM_KEY_FILE, 'utf8').trim();
const name = process.argv[2] ?? 'bot';
const ticket = () => sign(app, key, name, Number(TICKET_SECONDS));
let ending = false;

const client = new TimClient({
  endpoint,
  sdkAppID: app,
  dataDir: `data-${name}`, // so that a restarted bot takes its own place instead of pushing itself out
  loginTimeoutMs: 5000, // over all tries of the engine; then the bot says so, and waits longer
  ticketProvider: ticket,
});
client.on('connected', ({ resumed }) => console.log(resumed ? 'online again' : 'online'));
client.on('disconnected', ({ code, text }) => code !== Code.OK && console.log(`away: ${text}`));
client.on('ticketProviderFailed', ({ message }) => console.error(message)); // it is asked again
client.on('userSigExpired', () => void login()); // the clock jumped, or the key was replaced in time
client.on('kickedOffline', (kick) => end(1, `signed out: ${kick.text}`));
client.on('closed', ({ code, text }) => code !== Code.OK && end(1, text));
process.once('SIGTERM', () => end(0, 'stopped'));
process.once('SIGINT', () => end(0, 'stopped'));

await login();

/** Logs in, for as long as it takes. */
async function login() {
  for (let wait = 1000; ; wait = Math.min(2 * wait, 60_000)) {
    try {
      await client.login(name, ticket());
      return;
    } catch (error) {
      if (ending) return;
      console.error(error.message);
      if (!error.retryable) return end(1, 'giving up');
      await pass(wait * (0.5 + Math.random() / 2));
    }
  }
}

/** Logs out, so that the bot is seen to be gone, and ends the process. */
async function end(code, why) {
  if (ending) return;
  ending = true;
  console.log(why);
  await client.logout().catch(() => {}); // nobody is logged in any more
  await client.close();
  process.exit(code);
}
