// The packages as they are published: packed, and served by a registry on loopback.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { patient } from '../../js/test/world.js';
import type { App } from './server.js';

export const root = resolve(__dirname, '../../../../..');
const sources = {
  node: 'build/node/node',
  'node-linux-x64': 'build/node/node-linux-x64',
  'node-linux-arm64': 'build/node/node-linux-arm64',
  'node-win32-x64': 'build/node/node-win32-x64',
  usersig: 'bindings/usersig',
};
export type Name = keyof typeof sources;
export const names = Object.keys(sources) as Name[];

/** What package.json of a package says. */
export function about(name: Name): { name: string; version: string } {
  return JSON.parse(readFileSync(join(root, sources[name], 'package.json'), 'utf8'));
}

/** The file that npm pack made of a package: see test.sh. */
export function packed(name: Name): string {
  return join(root, 'build/node/packed', `opentim-${name}-${about(name).version}.tgz`);
}

/** A folder for apps, whose name has spaces. */
export class Folder {
  readonly path = join(mkdtempSync(join(tmpdir(), 'tim-node-')), 'a folder with spaces');

  constructor() {
    mkdirSync(this.path);
  }

  remove(): void {
    rmSync(dirname(this.path), { recursive: true });
  }

  /** A new folder for an app, with files in it. */
  app(name: string, files: Record<string, string> = {}): string {
    const folder = join(this.path, name);
    mkdirSync(folder);
    for (const [file, text] of Object.entries({ 'package.json': '{ "private": true }', ...files }))
      writeFileSync(join(folder, file), text);
    return folder;
  }
}

/** Knows the packed packages and nothing else, and what was fetched. */
export class Registry {
  readonly fetched: string[] = [];

  private constructor(private readonly server: HttpServer) {}

  static async start(): Promise<Registry> {
    const answers = new Map<string, Buffer | string>();
    const server = createServer((request, response) => {
      const path = decodeURIComponent(request.url!);
      if (path.endsWith('.tgz')) registry.fetched.push(basename(path));
      response.statusCode = answers.has(path) ? 200 : 404;
      response.end(answers.get(path) ?? '{}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const registry = new Registry(server);
    for (const name of names) {
      const file = readFileSync(packed(name));
      const manifest = about(name);
      const path = `/${manifest.name}/-/${basename(packed(name))}`;
      const digest = (algorithm: string) => createHash(algorithm).update(file);
      const dist = {
        tarball: registry.url + path,
        shasum: digest('sha1').digest('hex'),
        integrity: `sha512-${digest('sha512').digest('base64')}`,
      };
      const long = '2026-01-01T00:00:00.000Z'; // some managers do not take what is new
      const packument = {
        name: manifest.name,
        'dist-tags': { latest: manifest.version },
        versions: { [manifest.version]: { ...manifest, dist } },
        time: { created: long, modified: long, [manifest.version]: long },
      };
      answers.set(`/${manifest.name}`, JSON.stringify(packument));
      answers.set(path, file);
    }
    return registry;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections?.();
  }
}

/** Runs a program that ends well, and returns what it printed. */
export async function run(
  cwd: string,
  [program, ...args]: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ out: string }> {
  const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 1 << 26 };
  try {
    const { stdout } = await promisify(execFile)(program!, args, options);
    return { out: stdout };
  } catch (error) {
    const { message, stdout, stderr } = error as Error & { stdout: string; stderr: string };
    throw new Error(`${message}\n${stdout}\n${stderr}`);
  }
}

/** Writes a program and runs it: see run. */
export async function node(
  cwd: string,
  file: string,
  program: string,
  flags: string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  writeFileSync(join(cwd, file), program);
  return (await run(cwd, [process.execPath, ...flags, file], env)).out;
}

/** A program that prints who was logged in, once TimClient is there. */
export function login(app: App, user = 'alice'): string {
  return `
    const client = new TimClient(${JSON.stringify({ endpoint: app.endpoint, sdkAppID: app.id, ...patient })});
    client.login('${user}', '${app.ticket(user)}')
      .then(() => (console.log(client.user), client.logout()))
      .then(() => client.close());`;
}
