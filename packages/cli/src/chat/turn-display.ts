import type { AgentEvent, SourceFailedEvent, ToolCallRef, ToolResultEvent } from '@longwire/agent';
import { toJson } from '@longwire/client';
import { describeWaiting } from '../connection-words.js';
import type { Context } from '../context.js';
import { describeResult } from '../print-result.js';
import { describeProgress } from '../progress.js';
import { summaryOf } from '../report-error.js';
import { sanitize, sanitizeLine } from '../sanitize.js';
import { MarkdownWriter } from '../markdown/markdown-writer.js';
import type { MediaFolder } from '../save-media.js';

const maxArgumentsLength = 300;
const maxOutcomeLength = 160;

/** Shows a turn as it happens: the answer on stdout; calls, progress and outcomes on stderr. */
export class TurnDisplay {
  readonly #context: Context;
  readonly #media: MediaFolder;
  readonly #named: boolean;
  readonly #answers: boolean;
  readonly #running = new Map<string, string>();
  #midLine = false;
  readonly #markdown: MarkdownWriter | undefined;

  constructor(
    context: Context,
    options: {
      media: MediaFolder;
      /** Whether tools are shown with their server, which one server does not need. */
      severalServers: boolean;
      /** Whether the answer is printed as it comes. */
      answers: boolean;
    },
  ) {
    this.#context = context;
    this.#media = options.media;
    this.#named = options.severalServers;
    this.#answers = options.answers;
    const { terminal, redactor } = context;
    if (terminal.interactive) {
      this.#markdown = new MarkdownWriter(terminal, (text) => redactor.data(sanitize(text)));
    }
  }

  /** Something is waited for. */
  waiting(): void {
    this.#spin();
  }

  /** Shows one event. */
  async show(event: Exclude<AgentEvent, SourceFailedEvent>): Promise<void> {
    const { terminal } = this.#context;
    const { cyan, dim, yellow } = terminal.remarkColors;
    switch (event.type) {
      case 'text':
        return this.#text(event.text);
      case 'tool-call': {
        const args = this.#cut(toJson(event.arguments), maxArgumentsLength);
        this.#line(`${cyan('→')} ${this.#name(event)} ${dim(args)}`);
        this.#running.set(event.id, this.#name(event));
        return this.#spin();
      }
      case 'tool-progress': {
        const progress = describeProgress(event.progress);
        this.#running.set(event.id, `${this.#name(event)} ${progress}`);
        if (!terminal.live) terminal.detail(`  ${this.#name(event)}: ${progress}`);
        return this.#spin();
      }
      case 'tool-waiting':
        this.#line(yellow(this.#cut(describeWaiting(event.waiting), maxOutcomeLength)));
        return this.#spin();
      case 'tool-task':
        terminal.detail(`  ${this.#name(event)} is the task ${sanitizeLine(event.task.taskId)}`);
        return this.#spin();
      case 'tool-result':
        return this.#outcome(event);
      case 'tool-refused': {
        this.#running.delete(event.id);
        const because = event.reason === undefined ? '' : `: ${sanitizeLine(event.reason)}`;
        this.#line(`${yellow('⊘')} ${this.#name(event)} was not allowed${because}`);
        return this.#spin();
      }
      case 'tool-omitted':
        return this.#line(
          yellow(sanitizeLine(`${event.tool} of ${event.server} is left out: ${event.reason}`)),
        );
      case 'content-omitted':
        return this.#line(
          yellow(
            sanitizeLine(`left out of the conversation: ${event.what}; Claude: ${event.reason}`),
          ),
        );
      case 'usage':
      case 'thinking':
        return;
      case 'done':
        return this.end();
    }
  }

  /** Shows a line about something else, then continues. */
  note(line: string): void {
    this.#line(line);
    this.#spin();
  }

  /** Ends the display: completes a begun line, and stops the spinner. */
  end(): void {
    this.#context.terminal.stopLive();
    this.#running.clear();
    this.#markdown?.end();
    if (this.#midLine) this.#context.terminal.print();
    this.#midLine = false;
  }

  #text(text: string): void {
    if (!this.#answers) return;
    if (this.#markdown !== undefined) {
      this.#markdown.write(text);
      return this.#spin();
    }
    const safe = sanitize(text);
    if (safe === '') return;
    this.#context.terminal.write(safe);
    this.#midLine = !safe.endsWith('\n');
  }

  async #outcome(event: ToolResultEvent): Promise<void> {
    const { green, red, yellow } = this.#context.terminal.remarkColors;
    this.#running.delete(event.id);
    const lines =
      event.result === undefined
        ? [summaryOf(event.error)]
        : await describeResult(event.result, { tool: event.tool, media: this.#media });
    const [first = '(nothing)', ...rest] = lines.map((line) => this.#cut(line, maxOutcomeLength));
    this.#line(`${event.isError ? red('✗') : green('✓')} ${this.#name(event)}: ${first}`);
    if (event.result !== undefined && event.error !== undefined) {
      this.#line(`  ${yellow(this.#cut(event.error.summary, maxOutcomeLength))}`);
    }
    // A file is named even where the rest of a result is left to Claude.
    for (const line of rest.filter((other) => / saved to /.test(other))) this.#line(`  ${line}`);
    this.#spin();
  }

  #line(line: string): void {
    const { terminal } = this.#context;
    this.#markdown?.end();
    if (this.#midLine) terminal.print();
    this.#midLine = false;
    // What was shown live is about what has changed now.
    terminal.stopLive();
    terminal.remark(line);
  }

  #spin(): void {
    if (this.#midLine) return;
    const text =
      [...this.#running.values()].join(' · ') ||
      `Claude is ${this.#markdown?.isOpen === true ? 'writing' : 'thinking'}`;
    this.#context.terminal.showLive(text);
  }

  /** On one line; redacted before it is cut, because half a secret is not recognised. */
  #cut(text: string, maxLength: number): string {
    return sanitizeLine(this.#context.redactor.data(sanitize(text)), maxLength);
  }

  #name({ server, tool }: ToolCallRef): string {
    return sanitizeLine(this.#named && server !== '' ? `${server}/${tool}` : tool);
  }
}
