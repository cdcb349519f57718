// Prints which signals the threads of libtim take, of those that a program may handle.

import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';

import { client } from './setup.js';

const handled = [
  'HUP',
  'INT',
  'QUIT',
  'USR1',
  'USR2',
  'PIPE',
  'ALRM',
  'TERM',
  'CHLD',
  'CONT',
  'WINCH',
  'PROF',
] as const;

const threads = () => readdirSync('/proc/self/task');

function takes(thread: string): string[] {
  const [, mask] = /SigBlk:\s*(\w+)/.exec(
    readFileSync(`/proc/self/task/${thread}/status`, 'utf8'),
  )!;
  const blocked = BigInt(`0x${mask}`);
  return handled.filter((name) => !((blocked >> BigInt(constants.signals[`SIG${name}`] - 1)) & 1n));
}

const before = new Set(threads());
const ours = () => threads().filter((thread) => !before.has(thread));
const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function main(): Promise<void> {
  const one = client();
  while (ours().length < 3) await pass(10);
  await pass(300); // for those that come later
  console.log([...new Set(ours().flatMap(takes))].join(' ') || 'none');
  await one.close();
}

void main();
