// The app in a browser, over a server in memory. `stage` is how a test makes things happen to it.

import './android'; // before what asks for the platform
import { AppRegistry } from 'react-native';

import { KickReason, Platform } from '@opentim/react-native';
import { FakeServer } from '../../../bindings/js/test/fake/server.js';
import { App } from '../App';
import { server } from '../src/backend';
import { Session } from '../src/session';

class Stage {
  readonly server = new FakeServer(server.endpoint);
  /** How long tickets last, in the seconds of the fake server. */
  seconds = 3600;
  /** What the backend does when it is asked for a ticket. */
  backend: 'answers' | 'hangs' | 'fails' = 'answers';
  fetched = 0;

  async ticket(user: string): Promise<string> {
    this.fetched++;
    if (this.backend === 'fails') throw new Error('502');
    if (this.backend === 'hangs') await new Promise(() => {});
    return this.server.ticket(user, 'good', this.seconds);
  }

  kick(user: string): void {
    this.server.kick(user);
  }

  logInElsewhere(user: string): void {
    const session = { platform: Platform.Android, kicked() {}, disconnected() {} };
    this.server.admit(session, user, this.server.ticket(user, 'good'));
  }

  cut(): void {
    this.server.cut();
  }

  heal(): void {
    this.server.reachable = true;
  }
}

const stage = new Stage();
Object.assign(globalThis, { stage, KickReason });
const session = new Session({
  ...server,
  fetchTicket: (user) => stage.ticket(user),
});
AppRegistry.registerComponent('TimExample', () => () => <App session={session} />);
const rootTag = document.getElementById('root') as never; // react-native-web takes an element
AppRegistry.runApplication('TimExample', { rootTag, initialProps: {} });
export type { Stage };
