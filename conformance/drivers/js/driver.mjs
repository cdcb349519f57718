// The conformance driver of the bindings in JavaScript: it turns lines into calls, and prints one line for each event and each
// answer. conformance/README.md lists the lines. It needs an engine and nothing else of its surroundings.

let tim; // the binding
let print; // writes a line
let client;
let awaited = { line: undefined, command: [] }; // when line is heard, the command is done, inside the listener
const questions = []; // of the ticket provider, oldest first

/** Returns what takes a line of the input. */
export function driver(binding, printer) {
  tim = binding;
  print = printer;
  return (line) => {
    run(line.split('\t'));
    print('.');
  };
}

function name(code) {
  return Object.entries(tim.Code).find(([, number]) => number === code)?.[0] ?? `Code${code}`;
}

function hear(line) {
  print(line);
  if (line !== awaited.line) return;
  awaited.line = undefined;
  run(awaited.command, true);
}

function open(settings) {
  const {
    url,
    app,
    platform,
    login_timeout: login,
    logout_timeout: logout,
    provider,
    ...rest
  } = Object.fromEntries(settings.map((setting) => setting.split(/=(.*)/s)));
  try {
    client = new tim.TimClient({
      ...rest,
      endpoint: url,
      sdkAppID: Number(app),
      platform: Number(Object.entries(tim.PlatformWord).find(([, word]) => word === platform)?.[0]),
      ...(login && { loginTimeoutMs: Number(login) }),
      ...(logout && { logoutTimeoutMs: Number(logout) }),
      ...(provider && { ticketProvider: ask }),
    });
  } catch (error) {
    return print(`open ${name(error.code)}`);
  }
  listen();
  print('open OK');
}

function ask(user) {
  print(`ticket_wanted ${user}`);
  return new Promise((resolve, reject) => {
    questions.push((ticket) => (ticket ? resolve(ticket) : reject(new Error('there is none'))));
  });
}

function listen() {
  client.on('connecting', () => hear('connecting'));
  client.on('connected', ({ resumed }) => hear(`connected ${resumed ? 'resumed' : 'first'}`));
  client.on('disconnected', ({ code }) => hear(`disconnected ${name(code)}`));
  client.on('loginStatus', (status) => hear(tim.LoginStatusWord[status]));
  client.on('ready', (ready) => hear(`ready ${ready}`));
  client.on('userSigWillExpire', ({ at }) => hear(`user_sig_will_expire at=${at.getTime()}`));
  client.on('userSigExpired', ({ code }) => hear(`user_sig_expired ${name(code)}`));
  client.on('closed', ({ code }) => hear(`closed ${name(code)}`));
  client.on('kickedOffline', ({ code, reason, byPlatform, byLabel, at }) => {
    const why = tim.KickReasonWord[reason] ?? 0;
    const by = tim.PlatformWord[byPlatform] ?? 0;
    hear(`kicked_offline ${name(code)} reason=${why} by=${by} at=${+(at ?? 0)} label=${byLabel}`);
  });
}

/** Prints the answer of a call that returns a promise. */
function answer(what, promise, more = () => '') {
  promise.then(
    (result) => hear(`${what} OK${more(result)}`),
    (error) => hear(`${what} ${name(error.code)}`),
  );
}

/** A call without an answer may be refused only because the client is closed. */
function quietly(call) {
  try {
    call();
  } catch (error) {
    if (error.code !== tim.Code.NotInitialized) throw error;
  }
}

function run([verb, ...args], inside = false) {
  switch (verb) {
    case 'open':
      return open(args);
    case 'login':
      return answer(
        `login ${args[0]}`,
        client.login(args[0], args[1]),
        ({ repeatLogin, session, ticketExpires }) =>
          `${repeatLogin ? ' repeat' : ''} session=${session} at=${+(ticketExpires ?? 0)}`,
      );
    case 'logout':
      return answer('logout', client.logout());
    case 'renew':
      return answer('renew', client.renew(args[0]));
    case 'provide':
      return questions.shift()(args[0]);
    case 'wake':
      return quietly(() => client.wake());
    case 'background':
      return quietly(() => client.setBackground(args[0] === 'yes'));
    case 'status':
      return print(
        `status ${tim.LoginStatusWord[client.status]} ready=${client.ready} user=${client.user}`,
      );
    case 'time':
      return print(
        client.serverTimeMs === undefined ? 'time unknown' : `time at=${client.serverTimeMs}`,
      );
    case 'upon':
      return void (awaited = { line: args[0], command: args.slice(1) });
    case 'close': {
      const closed = client.close();
      if (inside) return print('close done'); // the call has returned
      return void closed.then(() => print('close done'));
    }
    default:
      throw new Error(`no such command: ${verb}`);
  }
}
