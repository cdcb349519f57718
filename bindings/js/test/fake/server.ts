import { Code, KickReason, Platform } from '../../src/index.js';

/** How long a second lasts here: stories about tickets that end need not wait. */
export const SECOND_MS = 100;

/** What a server says of a ticket. */
export interface Verdict {
  code: number;
  expiresMs: number;
}

/** A signed-in client, as its server sees it. */
export interface Session {
  readonly platform: Platform;
  kicked(reason: KickReason, by: Platform | 0, label: string): void;
  disconnected(): void;
}

/** A server in memory, which clients find by its endpoint. It knows the default policy: one device, and one web. */
export class FakeServer {
  static readonly all = new Map<string, FakeServer>();

  reachable = true;
  /** Every login that reached this server, as user and verdict. */
  readonly log: string[] = [];
  private readonly sessions = new Map<string, Set<Session>>();
  private tickets = 0;

  constructor(readonly endpoint: string) {
    FakeServer.all.set(endpoint, this);
  }

  ticket(userID: string, kind: 'good' | 'expired' | 'forged', seconds = 3600): string {
    const ms = kind === 'expired' ? -1 : seconds * SECOND_MS;
    return JSON.stringify({
      n: ++this.tickets,
      userID,
      key: kind === 'forged' ? 'another' : 'ours',
      until: Date.now() + ms,
    });
  }

  verify(userID: string, ticket: string): Verdict {
    const refuse = (code: number) => ({ code, expiresMs: 0 });
    if (!ticket.startsWith('{')) return refuse(Code.TicketUnreadable);
    const claims = JSON.parse(ticket);
    if (claims.userID !== userID) return refuse(Code.TicketUserMismatch);
    if (claims.key !== 'ours') return refuse(Code.TicketKeyMismatch);
    if (claims.until < Date.now()) return refuse(Code.TicketExpired);
    return { code: Code.OK, expiresMs: claims.until };
  }

  /** Lets a session in if its ticket is good, and tells those that have to leave. */
  admit(session: Session, userID: string, ticket: string): Verdict {
    const verdict = this.verify(userID, ticket);
    this.log.push(`${userID} ${verdict.code}`);
    if (verdict.code !== Code.OK) return verdict;
    for (const other of this.of(userID)) {
      const web = (of: Session) => of.platform === Platform.Web;
      if (other === session || web(other) !== web(session)) continue;
      const same = other.platform === session.platform;
      const reason = same ? KickReason.MultipleAccount : KickReason.MultipleDevice;
      this.release(other, userID);
      other.kicked(reason, session.platform, 'the newcomer');
    }
    this.of(userID).add(session);
    return verdict;
  }

  release(session: Session, userID: string): void {
    this.of(userID).delete(session);
  }

  kick(userID: string): void {
    for (const session of this.of(userID)) {
      this.release(session, userID);
      session.kicked(KickReason.RESTAPI, 0, '');
    }
  }

  online(userID: string): Platform[] {
    return [...this.of(userID)].map((session) => session.platform);
  }

  cut(): void {
    this.reachable = false;
    for (const sessions of this.sessions.values())
      for (const session of sessions) session.disconnected();
  }

  private of(userID: string): Set<Session> {
    const sessions = this.sessions.get(userID) ?? new Set();
    this.sessions.set(userID, sessions);
    return sessions;
  }
}
