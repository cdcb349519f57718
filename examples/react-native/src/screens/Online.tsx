import { useState } from 'react';
import { StyleSheet, Text, View } from 'react-native';

import type { Session, Ticket, View as SessionView } from '../session';
import { Button } from '../ui/Button';
import { Field } from '../ui/Field';
import { Notice, type Tone } from '../ui/Notice';
import { Badge, Card, Page } from '../ui/Page';
import { useTheme } from '../ui/theme';
import { clock, problemWords } from '../words';
import { Accounts, initial } from './Accounts';

type Props = { session: Session; view: Extract<SessionView, { at: 'loggedIn' }> };

/** You are logged in: how it stands, a fresh ticket, another account, and out. */
export function Online({ session, view }: Props) {
  return (
    <Page
      sign={<Badge text={initial(view.user)} />}
      title={view.user}
      line="You are logged in on this device."
    >
      {view.problem !== undefined && <Notice tone="bad">{problemWords(view.problem)}</Notice>}
      <Card title="Connection">
        <Status connected={view.connected} />
      </Card>
      <Card title="Ticket">
        <TicketNotice ticket={view.ticket} />
        <Button
          title={view.ticket.state === 'fetching' ? 'Refreshing' : 'Refresh now'}
          kind="other"
          busy={view.ticket.state === 'fetching'}
          onPress={() => void session.refresh()}
        />
      </Card>
      <Switch session={session} user={view.user} />
      <Button title="Log out" kind="other" onPress={() => void session.logOut()} />
    </Page>
  );
}

function Status({ connected }: { connected: boolean }) {
  const theme = useTheme();
  const color = connected ? theme.good : theme.wait;
  return (
    <View accessibilityLiveRegion="polite" style={styles.status}>
      <View style={styles.line}>
        <View style={[styles.dot, { backgroundColor: color }]} />
        <Text style={[styles.state, { color }]}>{connected ? 'Online' : 'Connecting again'}</Text>
      </View>
      <Text style={[styles.detail, { color: theme.quiet }]}>
        {connected
          ? 'Others can reach you here.'
          : 'The connection was lost. You stay logged in and need to do nothing.'}
      </Text>
    </View>
  );
}

function TicketNotice({ ticket: { since, state } }: { ticket: Ticket }) {
  const told: Record<Ticket['state'], [Tone, string]> = {
    good: ['good', `Fetched at ${clock(since)}. It is replaced by itself before it ends.`],
    fetching: ['wait', 'Asking for a new one. You stay logged in meanwhile.'],
    failed: ['bad', `There was no new one to be had. That of ${clock(since)} is still in use.`],
  };
  const [tone, words] = told[state];
  return <Notice tone={tone}>{words}</Notice>;
}

/** Logging in as somebody else logs out here first, by itself. */
function Switch({ session, user }: { session: Session; user: string }) {
  const [open, setOpen] = useState(false);
  const [name, setName] = useState('');
  const pick = (other: string) => {
    if (other !== '') void session.logIn(other);
  };
  const others = session.users.filter((other) => other !== user);
  return (
    <Card title="Accounts">
      {others.length > 0 && <Accounts users={others} onPick={pick} />}
      {open ? (
        <>
          <Field
            label="Name"
            value={name}
            hint={`${user} will be logged out on this device`}
            onChange={setName}
            onSubmit={() => pick(name)}
          />
          <Button
            title="Switch"
            disabled={name === '' || name === user}
            onPress={() => pick(name)}
          />
        </>
      ) : (
        <Button title="Use another account" kind="other" onPress={() => setOpen(true)} />
      )}
    </Card>
  );
}

const styles = StyleSheet.create({
  status: { gap: 4 },
  line: { flexDirection: 'row', alignItems: 'center', gap: 10 },
  dot: { width: 12, height: 12, borderRadius: 6 },
  state: { fontSize: 17, lineHeight: 24, fontWeight: '600' },
  detail: { fontSize: 15, lineHeight: 21 },
});
