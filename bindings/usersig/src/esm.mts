// The same module for import: one copy, so that UserSigError is one class.
export {
  Api,
  Code,
  limits,
  Privilege,
  privateMapKey,
  sign,
  UserSigError,
  verify,
} from './index.js';
export type { Expected, Room, SignOptions, Ticket } from './index.js';
