// What React Native starts.

import { AppRegistry } from 'react-native';

import { App } from './App';
import { fetchTicket, server } from './src/backend';
import { Session } from './src/session';

const session = new Session({ ...server, fetchTicket });
AppRegistry.registerComponent('TimExample', () => () => <App session={session} />);
