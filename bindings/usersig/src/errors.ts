import { type Code, codeText } from './codes.gen.js';

/** Why a ticket could not be signed, or is not accepted: `code` for programs, the message for people. Neither a key nor a
 * whole ticket is ever in it. */
export class UserSigError extends Error {
  /** One of {@link Code}. */
  readonly code: Code;

  constructor(code: Code, why: string) {
    super(`${why}: ${codeText[code]} (${code})`);
    this.name = 'UserSigError';
    this.code = code;
  }
}
