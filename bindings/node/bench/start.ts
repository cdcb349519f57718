// start.js nothing|tim: what the first require and the first client take and add, in a process of their own.

export {};

const rss = () => process.memoryUsage.rss() / 2 ** 20;
const ms = (from: bigint) => Number(process.hrtime.bigint() - from) / 1e6;

async function main(): Promise<void> {
  const what = process.argv[2]!;
  const before = rss();
  const start = process.hrtime.bigint();
  if (what === 'nothing') {
    require(process.env['NOTHING']!);
    console.log(`ms_require_nothing ${ms(start)}`);
    console.log(`mb_nothing ${rss() - before}`);
    return;
  }
  const { TimClient } = require('@opentim/node') as typeof import('@opentim/node');
  console.log(`ms_require ${ms(start)}`);
  console.log(`mb_require ${rss() - before}`);
  const client = new TimClient({ endpoint: 'ws://127.0.0.1:1', sdkAppID: 1 });
  console.log(`ms_require_and_client ${ms(start)}`);
  console.log(`mb_require_and_client ${rss() - before}`);
  await client.close();
}

void main();
