import { INVALID_REQUEST, METHOD_NOT_FOUND } from '@modelcontextprotocol/server';
import type { Refusal } from '../refusal.js';

/** Sessions are in their ids alone: what needs a second request on the same node is not there. */
export const NOT_KEPT: Refusal = {
  status: 405,
  code: METHOD_NOT_FOUND,
  message:
    'This server keeps no sessions: it has no HTTP+SSE, no streams without a request, and resumes none; send requests by POST to /mcp',
  headers: { allow: 'POST, DELETE' },
};

/** The same, to a request of the protocol. */
export const NO_SUBSCRIPTIONS: Refusal = {
  status: 400,
  code: METHOD_NOT_FOUND,
  message: 'This server keeps nothing of its clients: it has no subscriptions, log levels or tasks',
};

/** What the client says of itself would make every request too long. */
export const TOO_LONG_TO_SEAL: Refusal = {
  status: 400,
  code: INVALID_REQUEST,
  message:
    'This server puts initialize into the id of the session, and this one is too long for that: say less in capabilities and clientInfo',
};
