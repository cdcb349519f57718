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
const one = client();
setTimeout(() => {
  const ours = threads().filter((thread) => !before.has(thread));
  if (ours.length < 3) throw new Error(`libtim has ${ours.length} threads`);
  console.log([...new Set(ours.flatMap(takes))].join(' ') || 'none');
  void one.close();
}, 300);
