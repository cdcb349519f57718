// The life of a login, as the screens show it. It owns the client, and knows nothing of React.

import { Code, type Kick, TimClient } from '@opentim/react-native';

/** What there is to show. */
export type View =
  | { at: 'loggedOut'; problem?: unknown }
  | { at: 'loggingIn'; user: string }
  | { at: 'loggedIn'; user: string; connected: boolean; ticket: Ticket }
  | { at: 'kicked'; user: string; kick: Kick }
  | { at: 'expired'; user: string };

/** How it stands with the ticket. */
export interface Ticket {
  /** When the one that is in use was fetched. */
  readonly since: Date;
  readonly state: 'good' | 'fetching' | 'failed';
}

export interface Options {
  endpoint: string;
  sdkAppID: number;
  fetchTicket(userID: string): Promise<string>;
}

export class Session {
  private readonly client: TimClient;
  private readonly listeners = new Set<() => void>();
  private current: View = { at: 'loggedOut' };
  private attempt: AbortController | undefined;
  private known: readonly string[] = [];

  constructor(private readonly options: Options) {
    this.client = new TimClient({
      endpoint: options.endpoint,
      sdkAppID: options.sdkAppID,
      ticketProvider: (user) => this.freshTicket(user), // asked long before the ticket ends
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

  /** Logs a user in. Whoever is logged in is logged out by it. */
  async logIn(user: string): Promise<void> {
    this.attempt?.abort();
    const attempt = (this.attempt = new AbortController());
    this.show({ at: 'loggingIn', user });
    try {
      const ticket = await this.options.fetchTicket(user);
      if (attempt.signal.aborted) return;
      await this.client.login(user, ticket, { signal: attempt.signal });
      this.known = [user, ...this.known.filter((other) => other !== user)].slice(0, 4);
      const since = new Date();
      this.show({ at: 'loggedIn', user, connected: true, ticket: { since, state: 'good' } });
    } catch (problem) {
      if (!attempt.signal.aborted) this.show({ at: 'loggedOut', problem });
    }
  }

  /** Gives a login up. */
  cancel(): void {
    this.attempt?.abort();
    this.leave();
  }

  /** Logs the user out. It cannot fail: without a network the server is told as soon as there is one. */
  async logOut(): Promise<void> {
    this.leave();
    await this.client.logout().catch(() => {}); // nobody may be logged in any more
  }

  /** Goes back to the first screen. */
  leave(): void {
    this.show({ at: 'loggedOut' });
  }

  /** Gives the running session a fresh ticket. The client also asks for one by itself, in good time. */
  async refresh(): Promise<void> {
    if (this.current.at !== 'loggedIn') return;
    await this.freshTicket(this.current.user).then(
      (ticket) => this.client.renew(ticket).catch(() => this.ticket({ state: 'failed' })),
      () => {}, // shown already
    );
  }

  private async freshTicket(user: string): Promise<string> {
    this.ticket({ state: 'fetching' });
    try {
      const ticket = await this.options.fetchTicket(user);
      this.ticket({ since: new Date(), state: 'good' });
      return ticket;
    } catch (problem) {
      this.ticket({ state: 'failed' });
      throw problem;
    }
  }

  private ticket(change: Partial<Ticket>): void {
    if (this.current.at === 'loggedIn')
      this.update({ ticket: { ...this.current.ticket, ...change } });
  }

  private update(change: { connected?: boolean; ticket?: Ticket }): void {
    if (this.current.at === 'loggedIn') this.show({ ...this.current, ...change });
  }

  /** The server ended the session. The client stays out until somebody logs in. */
  private ended(view: (user: string) => View): void {
    if (this.current.at === 'loggedIn') this.show(view(this.current.user));
  }

  private show(view: View): void {
    this.current = view;
    for (const listener of this.listeners) listener();
  }
}
