// Your backend, which knows who the user is and makes tickets for them. Here it is backend.mjs, which believes everybody.

import { Platform } from 'react-native';

// What a simulator calls the computer it runs on.
const computer = Platform.OS === 'android' ? '10.0.2.2' : '127.0.0.1';

/** The tim server, as `timd dev` starts it: without TLS. Yours has TLS, and needs no allowInsecure. */
export const server = {
  endpoint: `ws://${computer}:7700`,
  sdkAppID: 1400000001,
  allowInsecure: true,
};

/** Fetches a ticket of a user. */
export async function fetchTicket(userID: string): Promise<string> {
  const answer = await fetch(`http://${computer}:7780/ticket?user=${encodeURIComponent(userID)}`);
  if (!answer.ok) throw new Error(`the backend said ${answer.status}`);
  return answer.text();
}
