// What these programs share: they are told by the environment where the server is.

import { TimClient, type TimOptions } from '@opentim/node';

import { patient } from '../../../js/test/world.js';
import { App } from '../server.js';

export const app = new App(
  process.env['TEST_ENDPOINT']!,
  Number(process.env['TEST_APP']),
  process.env['TEST_KEY']!,
);

/** A client of the app; where nothing listens if endpoint says so. */
export function client(options: Partial<TimOptions> = {}): TimClient {
  return new TimClient({ endpoint: app.endpoint, sdkAppID: app.id, ...patient, ...options });
}

/** A client whose login takes as long as its timeout: the connection is accepted and nothing else happens. */
export function stuck(loginTimeoutMs: number): TimClient {
  return client({ endpoint: process.env['TEST_SILENT']!, loginTimeoutMs });
}

/** Waits without keeping the process alive. */
export function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
