// In the command undici is just what Longwire uses of it: loading all of it takes longer than a call.
export { default as Agent } from 'undici/lib/dispatcher/agent.js';
export { default as buildConnector } from 'undici/lib/core/connect.js';
export { getGlobalDispatcher } from 'undici/lib/global.js';
export { parseSetCookie as parseCookie } from 'undici/lib/web/cookies/parse.js';
