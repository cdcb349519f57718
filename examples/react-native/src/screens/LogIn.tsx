import { useState } from 'react';

import type { Session, View as SessionView } from '../session';
import { Button } from '../ui/Button';
import { Field } from '../ui/Field';
import { Notice } from '../ui/Notice';
import { Badge, Card, Page } from '../ui/Page';
import { problemWords } from '../words';
import { Accounts } from './Accounts';

type Props = {
  session: Session;
  view: Extract<SessionView, { at: 'loggedOut' | 'loggingIn' }>;
};

/** Who are you? While the answer is awaited, it can be taken back. */
export function LogIn({ session, view }: Props) {
  const busy = view.at === 'loggingIn';
  const [name, setName] = useState(busy ? view.user : '');
  const submit = () => {
    if (name !== '') void session.logIn(name);
  };
  const others = session.users.filter((user) => user !== name);
  return (
    <Page
      sign={<Badge text="t" />}
      title={busy ? `Hello, ${view.user}` : 'Welcome'}
      line={busy ? 'One moment: you are being logged in.' : 'Log in to be online.'}
    >
      {view.at === 'loggedOut' && view.problem !== undefined && (
        <Notice tone="bad">{problemWords(view.problem)}</Notice>
      )}
      <Card>
        {busy ? (
          <>
            <Button title="Logging in" busy onPress={() => {}} />
            <Button title="Cancel" kind="other" onPress={() => session.cancel()} />
          </>
        ) : (
          <>
            <Field
              label="Name"
              value={name}
              hint="1 to 32 letters, digits or signs"
              onChange={setName}
              onSubmit={submit}
            />
            <Button title="Log in" disabled={name === ''} onPress={submit} />
          </>
        )}
      </Card>
      {!busy && others.length > 0 && (
        <Card title="Logged in before">
          <Accounts users={others} onPick={(user) => void session.logIn(user)} />
        </Card>
      )}
    </Page>
  );
}
