import type { EngineConfig } from '../../js/src/engine.js';

/** What the addon is given for a client that nobody answers. */
export const config: EngineConfig = {
  platform: 6,
  sdkAppID: 1400000001,
  url: 'ws://127.0.0.1:1',
  dataDir: '',
  instance: '',
  label: '',
  sdk: 'test',
  caPem: '',
  loginTimeoutMs: 0,
  logoutTimeoutMs: 0,
  allowInsecure: false,
  background: false,
  logLevel: 0,
  ticketProvider: false,
};
