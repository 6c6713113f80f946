import type { ElicitRequestURLParams, ElicitResult } from '@longwire/client';
import { openBrowser } from '../dash/open-browser.js';
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
  }: {
    server: string;
    params: ElicitRequestURLParams;
    url: URL;
    env: Readonly<Record<string, string | undefined>>;
  },
): Promise<ElicitResult> {
  const name = visibleJson(sanitizeLine(server, maxServerLength));
  desk.show(`The server ${name} wants an address opened:`);
  for (const line of await quoted(params.message, desk.columns)) desk.show(line);
  desk.show(`Address: ${url.href}`);
  desk.show(`Host:    ${url.host}${isPlain(url) ? ' (not encrypted)' : ''}`);
  const answer = await askWord(
    desk,
    'Open it? (o)pen in the browser, (m)y own way, (d)ecline, (C)ancel',
    {
      lines: [],
      answers: {
        open: ['o', 'open'],
        mine: ['m', 'my', 'mine'],
        decline: ['d', 'decline'],
        cancel: ['c', 'cancel'],
      },
    },
  );
  if (answer === 'decline' || answer === 'cancel') return { action: answer };
  if (answer === 'open') openBrowser(url.href, env);
  return { action: 'accept' };
}

function isPlain({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
