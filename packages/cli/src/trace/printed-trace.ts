import { toJson, type McpRequest, type Next, type WireEvent } from '@longwire/client';
import { redaction } from '@longwire/client/internal';
import type { Context } from '../context.js';
import { displayWidth, fit, wrap } from '../display-width.js';
import { sanitizeLine } from '../sanitize.js';
import type { Trace, TracedServer } from './trace.js';
import { WireWriter, type LineKind } from './wire-words.js';

/** How many lines of a message are shown on a terminal, and how much of it elsewhere. */
const MAX_BODY_LINES = 3;
const MAX_BODY_CHARACTERS = 500;
const INDENT = ' '.repeat(8);

const showValue = redaction({ maxValueChars: MAX_BODY_CHARACTERS, redact: [] });

/** Shows what passes on stderr: a line for each message and exchange, and some of what a message holds. */
export class PrintedTrace implements Trace {
  readonly isShown = true;
  readonly #context: Pick<Context, 'terminal' | 'redactor'>;
  readonly #startedAt = performance.now();
  readonly #names = new Set<string>();

  constructor(context: Pick<Context, 'terminal' | 'redactor'>) {
    this.#context = context;
  }

  server(name: string): TracedServer {
    this.#names.add(name);
    const writer = new WireWriter();
    // The client knows secrets that the command does not, such as the tokens of a login.
    let redact = (text: string): string => text;
    return {
      middleware: Object.assign(
        (request: McpRequest, next: Next) => {
          redact = (text) => request.redact(text);
          return next();
        },
        { addsNoIdentity: true as const },
      ),
      observe: (event) => this.#show(name, event, { writer, redact: (text) => redact(text) }),
      watch: () => {},
    };
  }

  async close(): Promise<void> {}

  #show(
    name: string,
    event: WireEvent,
    { writer, redact }: { writer: WireWriter; redact: (text: string) => string },
  ): void {
    const words = writer.words(event);
    if (words === undefined) return;
    const { terminal } = this.#context;
    const { kind, text, body } = words;
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(3).padStart(7);
    const whose = this.#names.size > 1 ? `${sanitizeLine(name, 40)} ` : '';
    const head = `${whose}${this.#safe(text, redact)}`;
    const color = this.#colorOf(kind);
    const width = terminal.stderrWidth;
    const lines = width === undefined ? [head] : wrap(head, width - INDENT.length);
    for (const [index, line] of lines.entries()) {
      const before = index === 0 ? `${terminal.remarkColors.dim(seconds)} ` : INDENT;
      terminal.trace(`${before}${color(line)}`);
    }
    if (body === undefined) return;
    const shown = this.#safe(toJson(showValue(body, redact)) ?? '', redact);
    if (shown === '' || shown === '{}') return;
    for (const line of bodyLines(shown, width)) terminal.trace(`${INDENT}${line}`);
  }

  /** On one line, without secrets and control sequences. */
  #safe(text: string, redact: (text: string) => string): string {
    const beginning = redact(sanitizeLine(text, 10 * MAX_BODY_CHARACTERS));
    // Where it was cut, part of a secret may stand.
    return sanitizeLine(this.#context.redactor.message(beginning), 2 * MAX_BODY_CHARACTERS);
  }

  #colorOf(kind: LineKind): (text: string) => string {
    const { cyan, green, red, dim, yellow } = this.#context.terminal.remarkColors;
    return { sent: cyan, received: green, failed: red, http: dim, process: yellow }[kind];
  }
}

/** The beginning of a body, in lines that fit into a terminal of that width. */
function bodyLines(text: string, width: number | undefined): string[] {
  if (width === undefined) return [fit(text, MAX_BODY_CHARACTERS)];
  const room = Math.max(20, width - INDENT.length);
  const lines: string[] = [];
  let rest = text;
  while (lines.length < MAX_BODY_LINES - 1 && displayWidth(rest) > room) {
    const line = fit(rest, room + 1).replace(/…$/, '');
    lines.push(line);
    rest = rest.slice(line.length);
  }
  return rest === '' ? lines : [...lines, fit(rest, room)];
}
