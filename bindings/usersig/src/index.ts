/**
 * Signs and verifies tickets: UserSig in the form TLSSigAPIv2. For the backend of an app; it needs Node and nothing else.
 *
 * ```ts
 * import { sign } from '@opentim/usersig';
 * const ticket = sign(1400000001, process.env.TIM_KEY!, 'alice', 24 * 3600);
 * ```
 *
 * @packageDocumentation
 */
export { Api } from './api.js';
export { limits, type Ticket } from './claims.js';
export { Code } from './codes.gen.js';
export { UserSigError } from './errors.js';
export { Privilege, privateMapKey, type Room } from './room.js';
export { sign, type SignOptions } from './sign.js';
export { type Expected, verify } from './verify.js';
