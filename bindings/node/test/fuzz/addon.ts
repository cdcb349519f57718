// fuzz/addon.js SEED MS: throws random values at every function of the addon, with clients in every state.

import fc from 'fast-check';

import type { EngineConfig, Item } from '../../../js/src/engine.js';
import { type Handle, loadNative } from '../../src/native.js';
import { config } from '../config.js';
import { anything, check, Mine, mostly, nothingUncaught } from './values.js';

nothingUncaught();
const native = loadNative() as unknown as Record<string, (...args: unknown[]) => unknown>;
const CLOSED = 10;
const endpoint = process.env['TEST_ENDPOINT']!;

/** A client, and when it is over. */
function open(more: Partial<EngineConfig>): { handle: Handle; over: Promise<void> } {
  let tell: () => void;
  const over = new Promise<void>((resolve) => (tell = resolve));
  const deliver = (items: Item[]) => {
    setImmediate(() => native['pump']!(handle, deliver));
    for (const item of items) {
      if (item.type === 'ticket') native['provideTicket']!(handle, item.request, 'ticket');
      if (item.type === 'event' && item.kind === CLOSED) tell();
    }
    if (Math.random() < 0.01) throw new Mine();
  };
  const handle = native['create']!({ ...config, ...more }, deliver) as Handle;
  if (typeof handle !== 'object') throw new Error(`no client was made: ${handle}`);
  native['hold']!(handle, true);
  return { handle, over };
}

/** A config with one member that is not as it should be. */
const broken = fc
  .tuple(fc.constantFrom(...Object.keys(config)), anything)
  .map(([name, value]) => ({ ...config, [name]: value }));

/** Handles stand for themselves: the clients are made anew for each run. */
const LIVE = 'live' as const;
const handles = mostly(LIVE, LIVE, {}, [], native);

const call = fc.oneof(
  fc.tuple(fc.constant('create'), fc.tuple(fc.oneof(broken, anything), anything)),
  fc.tuple(
    fc.constantFrom('login', 'logout', 'renew', 'provideTicket', 'wake', 'setBackground', 'hold'),
    fc.tuple(
      handles,
      mostly(1, 2, -1, 2 ** 60, true),
      mostly('alice', 'bob', process.env['TEST_TICKET']),
      mostly('ticket', process.env['TEST_TICKET']),
    ),
  ),
  fc.tuple(
    fc.constantFrom('version', 'pump', 'close'),
    fc.tuple(
      handles,
      anything.filter((value) => typeof value !== 'function'), // pump would give it what open waits for
    ),
  ),
);

/** The getters are functions of the handle, whatever they are called on and with. */
const getter = fc.tuple(
  fc.constantFrom('status', 'ready', 'user', 'serverTimeMs'),
  fc.tuple(mostly(LIVE), anything),
);

const property = fc.asyncProperty(
  fc.array(fc.oneof(call, getter), { maxLength: 40 }),
  fc.boolean(),
  async (calls, online) => {
    const { handle, over } = open({ url: online ? endpoint : config.url });
    for (const [name, args] of calls) {
      const given = (args as unknown[]).map((arg) => (arg === LIVE ? handle : arg));
      try {
        const method = native[name] ?? handle[name as keyof Handle];
        const got = method.apply(given[0], given);
        if (typeof got === 'object' && got !== null)
          native['close']!(got); // create took it after all
        else if (!['number', 'string', 'boolean', 'undefined'].includes(typeof got))
          throw new Error(`${name} returned a ${typeof got}`);
      } catch (error) {
        if (!(error instanceof Mine) && !(error instanceof TypeError)) throw error; // of a getter of the value
      }
    }
    native['close']!(handle);
    await over;
  },
);

void check(property);
