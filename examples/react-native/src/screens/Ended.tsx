import type { Session, View as SessionView } from '../session';
import { Button } from '../ui/Button';
import { Badge, Card, Page } from '../ui/Page';
import { kickWords } from '../words';

type Props = { session: Session; view: Extract<SessionView, { at: 'kicked' | 'expired' }> };

/** You were logged in and are not any more: why, and the way back. It is never taken without asking. */
export function Ended({ session, view }: Props) {
  const kicked = view.at === 'kicked';
  return (
    <Page
      sign={<Badge text="!" tone={kicked ? 'badSoft' : 'waitSoft'} />}
      title={kicked ? 'You were logged out' : 'Your ticket ended'}
      line={
        kicked
          ? kickWords(view.kick)
          : 'There was no new one to be had in time. Nothing is lost: log in again.'
      }
    >
      <Card>
        <Button
          title={`Log in again as ${view.user}`}
          onPress={() => void session.logIn(view.user)}
        />
        <Button title="Use another account" kind="other" onPress={() => session.goBack()} />
      </Card>
    </Page>
  );
}
