// The border to C++. React Native's codegen reads this file, here and in every app, and makes the class that cpp/NativeTim.h
// implements; it understands only what is declared in this very file.

import type { CodegenTypes, TurboModule } from 'react-native';
import { TurboModuleRegistry } from 'react-native';

/** tim_config. It is the EngineConfig of bindings/js. */
export type Config = {
  platform: number;
  sdkAppID: number;
  url: string;
  dataDir: string;
  instance: string;
  label: string;
  sdk: string;
  caPem: string;
  loginTimeoutMs: number;
  logoutTimeoutMs: number;
  allowInsecure: boolean;
  background: boolean;
  logLevel: number;
  ticketProvider: boolean;
};

/**
 * include/tim.h for JavaScript. Clients are numbers from 1 on. A method of which nothing else is said returns 0 or a code, and
 * a code for a client that there is not, or not any more.
 */
export interface Spec extends TurboModule {
  version(): string;
  /** The folder in which this app keeps what lasts and is not copied to other devices; '' where there is none. */
  dataDir(): string;

  /** Returns the client's number, or minus the code that says why it cannot be made. */
  open(config: Config): number;
  login(client: number, request: number, userID: string, ticket: string): number;
  logout(client: number, request: number): number;
  renew(client: number, request: number, ticket: string): number;
  provideTicket(client: number, request: number, ticket: string): number;
  wake(client: number): number;
  setBackground(client: number, background: boolean): number;
  close(client: number): number;

  status(client: number): number;
  ready(client: number): boolean;
  user(client: number): string;
  serverTimeMs(client: number): number;

  /**
   * Takes what happened to a client since the last time, in order, at most 1,000 items: those of bindings/js/src/engine.ts.
   * After the event Closed the client is forgotten.
   */
  take(client: number): CodegenTypes.UnsafeObject[];
  /** Tells the number of a client for which `take` has something. It comes once until then, and again if `take` left some. */
  readonly onItems: CodegenTypes.EventEmitter<number>;
}

/** Nothing where the app has no C++ of ours. */
export default TurboModuleRegistry.get<Spec>('NativeTim');
