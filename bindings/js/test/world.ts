// What the stories need of their surroundings. They run over the fake engine here, and unchanged over an addon and a real
// server: in Node, and in a JavaScript engine without Node, so they import nothing but the packages that apps import.

import type { Platform } from '../src/index.js';

/** The module under test, as an app sees it. */
export type Tim = typeof import('../src/index.js');

/** A server that a story can make misbehave, with one app. Each story has one of its own. Its methods need no `this`. */
export interface World {
  readonly tim: Tim;
  readonly endpoint: string;
  readonly sdkAppID: number;

  /**
   * Returns a ticket of a user: good, expired, signed with another key, or one that lasts for some seconds. How long a
   * second is, is up to the world.
   */
  ticket(
    userID: string,
    kind?: 'good' | 'expired' | 'forged' | { seconds: number },
  ): Promise<string>;

  /** An administrator ends the sessions of a user. */
  kick(userID: string): Promise<void>;
  /** The user signs in on another device, with the default policy. It resolves when the server has let that device in. */
  signInElsewhere(userID: string, platform: Platform): Promise<void>;
  /** What a user is online as, by the server. */
  online(userID: string): Promise<Platform[]>;

  /** Connections to the server are lost and cannot be made. */
  cut(): Promise<void>;
  /** They can be made again. */
  heal(): Promise<void>;
  /** Ends what the world has running. */
  end(): Promise<void>;
}

/** Calls may take as long as they do on a machine that has other things to do. */
export const patient = { loginTimeoutMs: 60_000, logoutTimeoutMs: 60_000 };

/** One thing that an app may rely on. It throws if the app may not. */
export interface Story {
  /** A sentence. */
  readonly name: string;
  run(world: World): Promise<void>;
}

/** Fails unless actual and expected are the same value, or print as the same JSON. */
export function equal(actual: unknown, expected: unknown, what = 'value'): void {
  if (Object.is(actual, expected)) return;
  const got = JSON.stringify(actual);
  const want = JSON.stringify(expected);
  if (typeof actual !== typeof expected || got !== want)
    throw new Error(`${what}: got ${got}, want ${want}`);
}

export function ok(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`not so: ${what}`);
}

/** Waits until condition holds. The world decides how long things take; this bounds them, at some two minutes. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    if (tries === 24_000) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * Logs in with a ticket that lasts for some seconds. Where the machine is so busy that it ends before the login, for twice as
 * many.
 *
 * @param login says how it ended: 0, or the code
 */
export async function logInFor(
  world: World,
  seconds: number,
  userID: string,
  login: (ticket: string) => Promise<number>,
): Promise<void> {
  const { OK, TicketExpired } = world.tim.Code;
  const code = await login(await world.ticket(userID, { seconds }));
  if (code === TicketExpired && seconds < 60) return logInFor(world, 2 * seconds, userID, login);
  equal(code, OK, 'the code of the login');
}

/** Waits until things that are under way have had their turn. */
export function turns(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 30));
}
