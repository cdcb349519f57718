// The world of a story that runs in the host: what it cannot do itself it asks the test for.

import * as tim from 'react-native-tim-js';

import { patient, type World } from '../../../js/test/world.js';
import { type Answer, send, type ToTell } from './lines.js';

interface Waiting {
  resolve(value: any): void;
  reject(error: Error): void;
}

const waiting = new Map<number, Waiting>();
let asked = 0;

function ask<T>(what: string, ...args: unknown[]): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    waiting.set(++asked, { resolve, reject });
    send({ ask: asked, what, args });
  });
}

/** Takes the answer to a question. */
export function take({ answer, value, error }: Answer): void {
  const { resolve, reject } = waiting.get(answer)!;
  waiting.delete(answer);
  if (error === undefined) resolve(value);
  else reject(new Error(error));
}

/** The world of one story. */
export function hostWorld({ endpoint, direct, sdkAppID }: ToTell): World {
  const elsewhere: tim.TimClient[] = [];
  const ticket: World['ticket'] = (...args) => ask('ticket', ...args);
  return {
    tim,
    endpoint,
    sdkAppID,
    ticket,
    kick: (userID) => ask('kick', userID),
    async signInElsewhere(userID, platform) {
      const options = { endpoint: direct, sdkAppID, platform, label: 'elsewhere', ...patient };
      const client = new tim.TimClient(options);
      elsewhere.push(client);
      await client.login(userID, await ticket(userID));
    },
    online: (userID) => ask('online', userID),
    cut: () => ask('cut'),
    heal: () => ask('heal'),
    async end() {
      await Promise.all(elsewhere.map((client) => client.close()));
    },
  };
}
