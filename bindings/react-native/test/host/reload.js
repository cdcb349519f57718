// Ten clients do everything at once; the app will not live to hear all of it. Where world.deaf is set, so many logins of one more
// client are never taken: its mailbox is full when the app ends.
const tim = nativeModuleProxy.NativeTim;
globalThis.asked = 0;
globalThis.heard = 0;

function config(number) {
  return {
    platform: 3,
    sdkAppID: world.sdkAppID,
    url: world.endpoint,
    dataDir: '',
    instance: '',
    label: `reload ${number}`,
    sdk: 'test',
    caPem: '',
    loginTimeoutMs: 1000,
    logoutTimeoutMs: 50,
    allowInsecure: false,
    background: false,
    logLevel: 3,
    ticketProvider: true,
  };
}

let deaf;
tim.onItems((client) => {
  if (client === deaf) return;
  for (const item of tim.take(client)) {
    if (item.type === 'result') heard++;
    if (item.type === 'ticket') tim.provideTicket(client, item.request, world.ticket);
  }
});
for (let number = 0; number < 10; number++) {
  const client = tim.open(config(number));
  if (client < 0) throw new Error(`open: ${client}`);
  for (let request = 1; request <= 5; request++)
    if (tim.login(client, request, request % 2 ? 'alice' : 'bob', world.ticket) === 0) asked++;
  tim.wake(client);
  tim.setBackground(client, true);
  if (number % 3 === 0 && tim.renew(client, 6, world.ticket) === 0) asked++;
  if (number % 3 === 1 && tim.logout(client, 7) === 0) asked++;
  if (number % 5 === 4) tim.close(client);
}
if (world.deaf !== undefined) {
  deaf = tim.open(config(10));
  for (let request = 1; request <= world.deaf; request++)
    if (tim.login(deaf, request, 'alice', world.ticket) === 0) asked++;
}
