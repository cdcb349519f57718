// Small programs, by name: when does a process end?

import type { EngineClient } from '../../../js/src/engine.js';
import { NodeEngine } from '../../src/engine.js';
import { config } from '../config.js';
import { app, client, pass, stuck } from './setup.js';

const programs: Record<string, () => unknown> = {
  async idle() {
    client();
    process.on('exit', () => console.log('exit'));
  },
  async pending() {
    await stuck(400)
      .login('alice', app.ticket('alice'))
      .catch((error) => console.log(error.name));
  },
  async online() {
    const alice = client();
    await alice.login('alice', app.ticket('alice'));
    await pass(500);
    console.log('stayed');
    await alice.logout();
  },
  async unref() {
    const alice = client().unref();
    await alice.login('alice', app.ticket('alice'));
    console.log('logged in');
    await pass(10_000);
    console.log('stayed');
  },
  async ref() {
    const alice = client().unref();
    await alice.login('alice', app.ticket('alice'));
    alice.ref();
    await pass(500);
    console.log('stayed');
    alice.unref();
  },
  async close() {
    const alice = client();
    await alice.login('alice', app.ticket('alice'));
    await alice.close();
    console.log('closed');
  },
  exit() {
    for (let i = 0; i < 20; i++) void client().login(`user${i}`, app.ticket(`user${i}`));
    stuck(60_000).login('bob', app.ticket('bob'));
    setTimeout(() => process.exit(7), Number(process.argv[3]));
  },
  throws() {
    const alice = client();
    alice.on('connected', () => {
      throw new Error('out of the listener');
    });
    void alice.login('alice', app.ticket('alice'));
  },
  async caught() {
    process.on('uncaughtException', (error) => console.log(`caught ${error.message}`));
    const alice = client();
    alice.on('connected', () => {
      throw new Error('one');
    });
    alice.on('ready', () => {
      throw new Error('two');
    });
    await alice.login('alice', app.ticket('alice'));
    console.log(alice.user);
    await alice.close();
  },
  deliver() {
    process.on('uncaughtException', (error) => console.log(`caught ${error.message}`));
    let batches = 0;
    const one = new NodeEngine().create(config, (items) => {
      if (++batches === 1) setImmediate(() => one.close());
      throw new Error(`${items.length} of ${items[0]!.type}`);
    }) as EngineClient;
    one.ref!();
    one.logout(1);
  },
  async signals() {
    process.on('SIGTERM', () => console.log('SIGTERM'));
    const alice = client();
    await alice.login('alice', app.ticket('alice'));
    console.log('online');
  },
};

void programs[process.argv[2]!]!();
