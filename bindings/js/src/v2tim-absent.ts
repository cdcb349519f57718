// What react-native-tim-js has and tim has not yet. Every such call says so.

import { Code } from './codes.gen.js';
import { TimError } from './errors.js';
import type { V2TimValueCallback } from './v2tim-types.js';

/** The methods of V2TIMManager that have nothing to do with being signed in. */
export const absentFromV2TIM = [
  'sendC2CTextMessage',
  'sendC2CCustomMessage',
  'sendGroupTextMessage',
  'sendGroupCustomMessage',
  'createGroup',
  'joinGroup',
  'quitGroup',
  'dismissGroup',
  'getUsersInfo',
  'setSelfInfo',
  'addSimpleMsgListener',
  'removeSimpleMsgListener',
  'addGroupListener',
  'removeGroupListener',
  'setSelfStatus',
  'getUserStatus',
  'subscribeUserStatus',
  'unsubscribeUserStatus',
] as const;

/** Resolves with `Code.NotSupported` and a sentence, whatever it is given. */
export type AbsentCall = (...args: any[]) => Promise<V2TimValueCallback<any>>;

/** A manager all of whose methods are an {@link AbsentCall}. `any`, so that code for the original compiles. */
export type AbsentManager = Readonly<Record<string, any>>;

/** Answers a call that is absent. */
export function absentCall(name: string): AbsentCall {
  return async () => {
    const why = 'tim keeps users signed in; it has no messages, groups or profiles yet';
    const { code, message } = new TimError(Code.NotSupported, name, why);
    return { code, desc: message };
  };
}

/** A manager, such as that of friends, that answers whatever method it is asked for. */
export function absentManager(name: string): AbsentManager {
  return new Proxy({} as AbsentManager, {
    get: (_, method) => (isCall(method) ? absentCall(`${name}().${method}`) : undefined),
  });
}

/** Nobody calls these: `await`, JSON.stringify and debuggers look whether they are there. */
function isCall(member: string | symbol): member is string {
  return typeof member === 'string' && /^[a-z]\w*$/.test(member) && !UNCALLED.includes(member);
}

const UNCALLED = [
  'then',
  'constructor',
  'prototype',
  'valueOf',
  'toJSON',
  'toString',
  'inspect',
  'nodeType',
];
