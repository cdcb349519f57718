// The life of a login, as the screens show it. It owns the client, and knows nothing of React.

import { Code, type Kick, TimClient } from '@opentim/react-native';

/** What there is to show. */
export type View =
  | { at: 'loggedOut'; problem?: unknown }
  | { at: 'loggingIn'; user: string }
  | LoggedIn
  | { at: 'kicked'; user: string; kick: Kick }
  | { at: 'expired'; user: string };

export interface LoggedIn {
  at: 'loggedIn';
  user: string;
  connected: boolean;
  ticket: Ticket;
  /** Why another user could not log in, if that was tried. */
  problem?: unknown;
}

/** How it stands with the ticket. */
export interface Ticket {
  /** When the one that is in use was fetched. */
  readonly since: Date;
  readonly state: 'good' | 'fetching' | 'failed';
}

export interface Options {
  endpoint: string;
  sdkAppID: number;
  allowInsecure?: boolean;
  fetchTicket(userID: string): Promise<string>;
}

export class Session {
  private readonly client: TimClient;
  private readonly fetchTicket: Options['fetchTicket'];
  private readonly listeners = new Set<() => void>();
  private current: View = { at: 'loggedOut' };
  /** Who is logged in, whatever is shown meanwhile. */
  private running: LoggedIn | undefined;
  private attempt: AbortController | undefined;
  private known: readonly string[] = [];

  constructor({ fetchTicket, ...server }: Options) {
    this.fetchTicket = fetchTicket;
    this.client = new TimClient({
      ...server,
      ticketProvider: (user) => this.renewing(user, () => fetchTicket(user)), // asked long before the ticket ends
    });
    this.client.on('connected', () => this.update({ connected: true }));
    this.client.on('disconnected', ({ code }) => {
      if (code !== Code.OK) this.update({ connected: false }); // it comes back by itself
    });
    this.client.on('kickedOffline', (kick) => this.ended((user) => ({ at: 'kicked', user, kick })));
    this.client.on('userSigExpired', () => this.ended((user) => ({ at: 'expired', user })));
  }

  get view(): View {
    return this.current;
  }

  /** Who logged in before, the latest first. */
  get users(): readonly string[] {
    return this.known;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Logs a user in. Whoever is logged in stays so until there is a ticket, and is then logged out by it. */
  async logIn(user: string): Promise<void> {
    this.attempt?.abort();
    const attempt = (this.attempt = new AbortController());
    this.show({ at: 'loggingIn', user });
    try {
      const ticket = await this.fetchTicket(user);
      if (attempt.signal.aborted) return;
      this.running = undefined;
      await this.client.login(user, ticket, { signal: attempt.signal });
      this.known = [user, ...this.known.filter((other) => other !== user)].slice(0, 4);
      const since = new Date();
      this.running = { at: 'loggedIn', user, connected: true, ticket: { since, state: 'good' } };
      this.show(this.running);
    } catch (problem) {
      if (!attempt.signal.aborted) this.goBack(problem);
    }
  }

  /** Gives a login up. */
  cancel(): void {
    this.attempt?.abort();
    this.goBack();
  }

  /** Logs the user out. It cannot fail: without a network the server is told as soon as there is one. */
  async logOut(): Promise<void> {
    this.running = undefined;
    this.goBack();
    await this.client.logout().catch(() => {}); // nobody may be logged in any more
  }

  /** Goes back to who is logged in, or to the first screen. */
  goBack(problem?: unknown): void {
    if (this.running !== undefined) this.running = { ...this.running, problem };
    this.show(this.running ?? { at: 'loggedOut', problem });
  }

  /** Gives the running session a fresh ticket. The client also asks for one by itself, in good time. */
  async refresh(): Promise<void> {
    const user = this.running?.user;
    if (user === undefined) return;
    const renew = async () => this.client.renew(await this.fetchTicket(user));
    await this.renewing(user, renew).catch(() => {}); // shown already
  }

  /** Shows how it goes with a new ticket of a user. */
  private async renewing<T>(user: string, renew: () => Promise<T>): Promise<T> {
    const show = (change: Partial<Ticket>) => {
      if (this.running?.user === user)
        this.update({ ticket: { ...this.running.ticket, ...change } });
    };
    show({ state: 'fetching' });
    try {
      const renewed = await renew();
      show({ since: new Date(), state: 'good' });
      return renewed;
    } catch (problem) {
      show({ state: 'failed' });
      throw problem;
    }
  }

  private update(change: Partial<LoggedIn>): void {
    if (this.running === undefined) return;
    this.running = { ...this.running, ...change };
    if (this.current.at === 'loggedIn') this.show(this.running);
  }

  /** The server ended the session. The client stays out until somebody logs in. */
  private ended(view: (user: string) => View): void {
    if (this.running === undefined) return;
    const { user } = this.running;
    this.running = undefined;
    if (this.current.at === 'loggedIn') this.show(view(user));
  }

  private show(view: View): void {
    this.current = view;
    for (const listener of this.listeners) listener();
  }
}
