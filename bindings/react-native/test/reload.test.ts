// An app that reloads 200 times with calls under way: over the real library with one set of sanitizers, and over a library in
// C++ with ThreadSanitizer, which cannot see into Go. The sanitizers fail a program that they have a complaint about.

import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { Server } from '../../node/test/server.js';

const run = promisify(execFile);
const timeout = 1_200_000; // only what hangs takes so long

async function reload(program: string, world: object): Promise<string> {
  const arguments_ = [process.env['RELOAD']!, JSON.stringify(world)];
  const { stdout, stderr } = await run(program, arguments_, { timeout });
  if (stderr !== '') throw new Error(stderr);
  return stdout.trim();
}

test('with libtim and a server', { timeout }, async (t) => {
  const server = await Server.start();
  try {
    const app = server.app();
    const { endpoint, id } = app;
    const world = { endpoint, sdkAppID: id, ticket: app.ticket('alice') };
    t.diagnostic(await reload(process.env['RELOAD_ASAN']!, world));
  } finally {
    await server.stop();
  }
});

test('with threads that ThreadSanitizer sees', { timeout }, async (t) => {
  const world = { endpoint: 'ws://nowhere', sdkAppID: 1, ticket: 'ticket', deaf: 300 };
  t.diagnostic(await reload(process.env['RELOAD_TSAN']!, world));
});
