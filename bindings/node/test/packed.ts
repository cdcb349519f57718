// The packages as they are published: packed, and served by a registry on loopback.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

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

/** The files that npm pack makes of the packages, in a folder of their own. */
export class Packed {
  /** Its name has spaces, and so has everything that tests install into it. */
  readonly folder = join(mkdtempSync(join(tmpdir(), 'tim-node-')), 'a folder with spaces');
  private readonly files = new Map<Name, string>();

  async open(): Promise<this> {
    mkdirSync(this.folder);
    for (const name of names) this.files.set(name, await this.pack(join(root, sources[name])));
    return this;
  }

  close(): void {
    rmSync(dirname(this.folder), { recursive: true });
  }

  private async pack(folder: string): Promise<string> {
    const flags = ['--json', '--offline', '--loglevel=error', '--pack-destination', this.folder];
    const { out } = await run(folder, ['npm', 'pack', ...flags]);
    const [{ filename }] = JSON.parse(out.slice(out.indexOf('['))) as [{ filename: string }];
    return join(this.folder, filename);
  }

  file(name: Name): string {
    return this.files.get(name)!;
  }

  /** A new folder for an app, with files in it. */
  app(name: string, files: Record<string, string> = {}): string {
    const folder = join(this.folder, name);
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

  static async start(packed: Packed): Promise<Registry> {
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
      const file = readFileSync(packed.file(name));
      const about = JSON.parse(readFileSync(join(root, sources[name], 'package.json'), 'utf8'));
      const path = `/${about.name}/-/${basename(packed.file(name))}`;
      const digest = (algorithm: string) => createHash(algorithm).update(file);
      const dist = {
        tarball: registry.url + path,
        shasum: digest('sha1').digest('hex'),
        integrity: `sha512-${digest('sha512').digest('base64')}`,
      };
      const long = '2026-01-01T00:00:00.000Z'; // some managers do not take what is new
      const packument = {
        name: about.name,
        'dist-tags': { latest: about.version },
        versions: { [about.version]: { ...about, dist } },
        time: { created: long, modified: long, [about.version]: long },
      };
      answers.set(`/${about.name}`, JSON.stringify(packument));
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
    const client = new TimClient({ endpoint: '${app.endpoint}', sdkAppID: ${app.id} });
    client.login('${user}', '${app.ticket(user)}')
      .then(() => (console.log(client.user), client.logout()))
      .then(() => client.close());`;
}
