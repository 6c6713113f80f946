import type { ElicitRequestURLParams, ElicitResult } from '@longwire/client';
import { canOpenBrowser, openBrowser } from '../dash/open-browser.js';
import { askWord, type QuestionDesk } from '../question-desk.js';
import { sanitizeLine, visibleJson } from '../sanitize.js';
import { quoted } from './quote.js';

const maxServerLength = 100;

/** A longer address would push the question out of view. */
const maxUrlLength = 2000;

/** The address that a server wants opened, or why it is not even asked about. */
export function readUrl(text: string): { ok: true; url: URL } | { ok: false; reason: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return { ok: false, reason: 'it is not a whole address' };
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return { ok: false, reason: `${sanitizeLine(url.protocol, 20)} is neither http: nor https:` };
  }
  if (url.username !== '' || url.password !== '') {
    return { ok: false, reason: 'it has a user name, which hides where it leads' };
  }
  if (url.href.length > maxUrlLength) return { ok: false, reason: 'it is too long to be read' };
  return { ok: true, url };
}

/** Shows an address whole and with its host, and opens it if a person agrees. */
export async function askUrl(
  desk: QuestionDesk,
  {
    server,
    params,
    url,
    env,
    awaitsEnd = false,
  }: {
    server: string;
    params: ElicitRequestURLParams;
    url: URL;
    env: Readonly<Record<string, string | undefined>>;
    /** Asks also whether it is done, where the server does not wait itself. */
    awaitsEnd?: boolean;
  },
): Promise<ElicitResult> {
  const name = visibleJson(sanitizeLine(server, maxServerLength));
  desk.show(`The server ${name} wants an address opened:`);
  for (const line of await quoted(params.message, desk.columns)) desk.show(line);
  desk.show(`Address: ${url.href}`);
  desk.show(`Host:    ${url.host}${isPlain(url) ? ' (not encrypted)' : ''}`);
  const canOpen = canOpenBrowser(env);
  const answers = {
    ...(canOpen && { open: ['o', 'open'] }),
    mine: ['m', 'my', 'mine'],
    decline: ['d', 'decline'],
    cancel: ['c', 'cancel'],
  };
  const opening = canOpen ? '(o)pen in the browser, (m)y own way' : '(m)y own way';
  const question = `Open it? ${opening}, (d)ecline, (C)ancel`;
  const answer = await askWord<'open' | 'mine' | 'decline' | 'cancel'>(desk, question, {
    lines: [],
    answers,
  });
  if (answer === 'decline' || answer === 'cancel') return { action: answer };
  if (answer === 'open') openBrowser(url.href, env);
  if (awaitsEnd) {
    const answers = { cancel: ['c', 'cancel'], accept: ['d', 'done'] };
    return {
      action: await askWord(desk, 'Is it done there? (c)ancel, (D)one', { lines: [], answers }),
    };
  }
  return { action: 'accept' };
}

function isPlain({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
