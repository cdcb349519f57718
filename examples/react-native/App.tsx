import { useSyncExternalStore } from 'react';
import { StatusBar } from 'react-native';

import { Ended } from './src/screens/Ended';
import { LogIn } from './src/screens/LogIn';
import { Online } from './src/screens/Online';
import type { Session, View } from './src/session';

/** Shows where the session is. */
export function App({ session }: { session: Session }) {
  const view = useSyncExternalStore(session.subscribe, () => session.view);
  return (
    <>
      <StatusBar barStyle="default" />
      <Screen session={session} view={view} />
    </>
  );
}

function Screen({ session, view }: { session: Session; view: View }) {
  switch (view.at) {
    case 'loggedOut':
    case 'loggingIn':
      return <LogIn session={session} view={view} />;
    case 'loggedIn':
      return <Online session={session} view={view} />;
    case 'kicked':
    case 'expired':
      return <Ended session={session} view={view} />;
  }
}
