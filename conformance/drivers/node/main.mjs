// The driver of @opentim/node. The argument is the built package.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

import { driver } from '../js/driver.mjs';

const tim = createRequire(import.meta.url)(process.argv[2]);
const input = createInterface({ input: process.stdin });
input.on(
  'line',
  driver(tim, (line) => process.stdout.write(`${line}\n`)),
);
input.on('close', () => process.exit());
