// serve.js COMMAND...: starts a server, runs a command that finds it in TEST_SERVER, and ends as it does. What the command
// prints goes into the file TEST_OUTPUT, because a program under wine cannot write into a pipe.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';

import { Server } from './server.js';

async function main([command, ...args]: string[]): Promise<void> {
  const server = await Server.start();
  const file = openSync(process.env['TEST_OUTPUT']!, 'a');
  const env = { ...process.env, TEST_SERVER: server.shared };
  const child = spawn(command!, args, { env, stdio: ['ignore', file, file] });
  const stuck = setTimeout(() => child.kill('SIGKILL'), 1_200_000);
  const [code] = await once(child, 'exit');
  clearTimeout(stuck);
  await server.stop();
  process.exitCode = code ?? 1;
}

void main(process.argv.slice(2));
