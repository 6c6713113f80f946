import type { Context } from '../context.js';
import { exitCodeOf } from '../exit-codes.js';
import { RawTerminal, type Keypress } from '../raw-terminal.js';
import { reportError } from '../report-error.js';
import { sanitize } from '../sanitize.js';
import type { Bottom } from '../terminal.js';
import { cleared, put } from './edit-state.js';
import type { HistoryFile } from './history-file.js';
import { keyOf, type Key } from './keys.js';
import { layOut, layOutSent, type Block, type Surroundings } from './layout.js';
import { newLine, offer, paste, press, sent, type LineModel, type Request } from './line-model.js';
import type { Line, LineReader, PromptOptions } from './line-reader.js';
import { RegionPainter } from './region-painter.js';

/** The terminal marks what is pasted, so that its line breaks send nothing. */
const PASTE_MARKS = { enter: '\u001b[?2004h', leave: '\u001b[?2004l' } as const;

const CLEAR_SCREEN = '\u001b[H\u001b[2J';

/** What is pasted beyond this is left out, in UTF-16 units. */
const maxPasteLength = 1_000_000;

/** How long keys wait for what is offered, in milliseconds. */
const maxKeysWaitMs = 300;

/** How long what is offered may take, in milliseconds: a server may be asked. */
const maxCompletingMs = 3000;

/** Text that came at once. */
interface Pasted {
  readonly type: 'paste';
  readonly text: string;
}

/**
 * Lines that are typed at a terminal, which stays raw between them: while a line is at work, keys are
 * kept, and shown where a live line is.
 */
export class LineEditor implements LineReader, Bottom {
  readonly #context: Context;
  readonly #options: Omit<PromptOptions, 'history'>;
  readonly #history: HistoryFile;
  readonly #raw: RawTerminal;
  readonly #painter = new RegionPainter();
  readonly #detach: () => void;
  #model: LineModel;
  #mode: 'reading' | 'working' | 'closed' = 'working';
  /** Somebody else has the terminal. */
  #isAway = false;
  /** The user's own editor is about to have it. */
  #isLeaving = false;
  #hasEnded = false;
  readonly #waiting: Line[] = [];
  #resolve: ((line: Line) => void) | undefined;
  #live: string | undefined;
  #pasted: string | undefined;
  #completing: AbortController | undefined;
  /** What was typed meanwhile. */
  readonly #inputAfter: (Key | Pasted)[] = [];
  #drawing: NodeJS.Immediate | undefined;
  /** The output does not end with a line break. */
  #isInLine = false;
  /** The last key was Enter: some terminals send a line feed behind it. */
  #isAfterReturn = false;

  constructor(
    context: Context,
    { history, ...options }: Omit<PromptOptions, 'history'> & { history: HistoryFile },
  ) {
    this.#context = context;
    this.#options = options;
    this.#history = history;
    this.#model = newLine(history.read());
    const { stdin, terminal, interruptions } = context;
    const { stdout } = terminal;
    this.#raw = new RawTerminal({
      stdin,
      stdout,
      ...PASTE_MARKS,
      onKey: (text, key) => this.#onKey(text, key),
      onContinue: () => this.#draw(),
      onResize: () => {
        this.#painter.resized(stdout.columns || 80);
        this.#draw();
      },
      onLeave: () => this.hide(),
      onEnd: () => {
        this.#hasEnded = true;
        this.#arrived({ kind: 'end' });
      },
    });
    this.#detach = terminal.attach(this);
    interruptions.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  async next(): Promise<Line> {
    const { interruptions, stdin } = this.#context;
    this.#raw.enter();
    const early = this.#waiting.shift();
    if (early?.kind === 'line') this.#keep(early.text);
    const isEdit = early?.kind === 'line' && this.#isEditWord(early.text);
    if (early !== undefined && !isEdit) return early;
    if (this.#hasEnded || !stdin.readable) return { kind: 'end' };
    if (interruptions.signal.aborted) return { kind: 'interrupted', cleared: false };
    this.#mode = 'reading';
    this.#draw();
    const release = interruptions.take(() => this.#interrupted());
    const line = new Promise<Line>((fulfil) => (this.#resolve = fulfil));
    if (isEdit) void this.#editOutside('');
    return line.finally(release);
  }

  close(): void {
    this.hide();
    this.#mode = 'closed';
    clearImmediate(this.#drawing);
    this.#completing?.abort();
    this.#detach();
    this.#raw.leave();
    this.#context.interruptions.signal.removeEventListener('abort', this.#onAbort);
  }

  hide(): void {
    if (this.#painter.isShown) this.#write(this.#painter.clear());
  }

  show(written: string): void {
    this.#isInLine = !written.endsWith('\n');
    // Many lines at once remove it once.
    this.#drawing ??= setImmediate(() => this.#draw());
  }

  readonly drawLive = (line: string | undefined): void => {
    this.#live = line;
    this.#draw();
  };

  release(): () => void {
    this.hide();
    this.#completing?.abort();
    this.#isAway = true;
    this.#raw.leave();
    // What was typed ahead may have been meant for what asks now: it is sent only by another Enter.
    const lines = this.#waiting.flatMap((line) => (line.kind === 'line' ? [line.text] : []));
    this.#waiting.length = 0;
    if (lines.length > 0) {
      const { edit } = this.#model;
      this.#model = { ...this.#model, edit: put(edit, [...lines, edit.text].join('\n')) };
    }
    return () => {
      this.#isAway = false;
      if (this.#mode === 'closed') return;
      this.#raw.enter();
      this.#draw();
    };
  }

  readonly #onAbort = (): void => this.#arrived({ kind: 'interrupted', cleared: false });

  #arrived(line: Line): void {
    if (this.#resolve === undefined) return void this.#waiting.push(line);
    this.#mode = 'working';
    if (this.#painter.isShown) this.#write(this.#painter.keep());
    this.#resolve(line);
    this.#resolve = undefined;
  }

  /** Ctrl-C while a line is typed. */
  #interrupted(): void {
    const { text } = this.#model.edit;
    this.#completing?.abort();
    this.#keep(`${text}^C`);
    this.#model = { ...newLine(this.#model.history), edit: cleared(this.#model.edit) };
    this.#arrived({ kind: 'interrupted', cleared: text !== '' });
  }

  #onKey(text: string | undefined, pressed: Keypress): void {
    // It is too late for this line, and too early for that editor.
    if (this.#isLeaving) return;
    const { name, ctrl } = pressed;
    if (name === 'paste-start') {
      this.#pasted = '';
    } else if (this.#pasted === undefined) {
      const isSecondHalf = name === 'enter' && this.#isAfterReturn;
      this.#isAfterReturn = name === 'return' && !pressed.meta;
      const key = isSecondHalf ? undefined : keyOf(text, pressed);
      if (key !== undefined) this.#onInput(key);
    } else if (name === 'paste-end' || (ctrl && name === 'c')) {
      this.#onPaste(this.#pasted);
    } else if (this.#pasted.length <= maxPasteLength) {
      this.#pasted += pressed.sequence ?? text ?? '';
    }
  }

  #onPaste(pasted: string): void {
    this.#pasted = undefined;
    if (pasted.length > maxPasteLength) {
      this.#context.terminal.remark('What was pasted is too long: its end is left out.');
    }
    this.#onInput({ type: 'paste', text: sanitize(pasted.slice(0, maxPasteLength)) });
  }

  #onInput(input: Key | Pasted): void {
    if (this.#completing !== undefined) {
      const isStop = input.type === 'command' && ['interrupt', 'cancel'].includes(input.command);
      // It stops what is looked for, and nothing else; other keys wait a moment for that.
      if (isStop) this.#completing.abort();
      else this.#inputAfter.push(input);
      return;
    }
    if (input.type === 'paste') {
      this.#model = paste(this.#model, input.text);
      return this.#draw();
    }
    const { model, request } = press(this.#model, input);
    this.#model = model;
    if (request !== undefined) this.#serve(request);
    else this.#draw();
  }

  #serve(request: Request): void {
    switch (request.type) {
      case 'submit':
        return this.#submit(request.text);
      case 'end':
        return this.#arrived({ kind: 'end' });
      case 'interrupt':
        if (this.#mode === 'working') this.#dropWaiting();
        return this.#context.interruptions.interrupt();
      case 'complete':
        return void this.#complete();
      case 'edit':
        return void this.#editOutside(this.#model.edit.text);
      case 'suspend':
        return this.#raw.suspend();
      case 'clear-screen':
        this.#painter.forget();
        this.#write(CLEAR_SCREEN);
        return this.#draw();
    }
  }

  #submit(text: string): void {
    this.#model = sent(this.#model, text);
    if (this.#isEditWord(text) && this.#mode === 'reading') {
      this.#keep(text);
      return void this.#editOutside('');
    }
    this.#history.add(text);
    const line: Line = { kind: 'line', text };
    if (this.#mode === 'reading') {
      this.#keep(text);
      this.#arrived(line);
    } else {
      if (text.trim() !== '') this.#waiting.push(line);
      this.#draw();
    }
  }

  #isEditWord(text: string): boolean {
    return text.trim() === this.#options.editWord;
  }

  /** What waits would run after a line that was stopped. */
  #dropWaiting(): void {
    const { length } = this.#waiting;
    this.#waiting.length = 0;
    if (length === 0) return;
    this.#context.terminal.remark(
      length === 1
        ? 'The line that waited is not run; the key ↑ has it.'
        : `The ${length} lines that waited are not run; the key ↑ has them.`,
    );
  }

  async #complete(): Promise<void> {
    const { text, caret } = this.#model.edit;
    const controller = new AbortController();
    this.#completing = controller;
    const patience = setInterval(() => {
      if (this.#inputAfter.length > 0) controller.abort();
    }, maxKeysWaitMs);
    const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(maxCompletingMs)]);
    const stopped = new Promise<undefined>((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    try {
      const found = await Promise.race([
        this.#options.complete(text.slice(0, caret), signal),
        stopped,
      ]);
      if (controller.signal.aborted) return;
      if (found === undefined || found.candidates.length === 0) this.#write('\u0007');
      else this.#model = offer(this.#model, found);
    } catch {
      // What cannot be asked for is not offered; whoever needs it gets the error.
      if (!controller.signal.aborted) this.#write('\u0007');
    } finally {
      clearInterval(patience);
      this.#completing = undefined;
      this.#draw();
      for (const input of this.#inputAfter.splice(0)) this.#onInput(input);
    }
  }

  async #editOutside(text: string): Promise<void> {
    if (this.#mode !== 'reading') return;
    const { terminal } = this.#context;
    let failure: unknown;
    this.#isLeaving = true;
    await terminal.occupied(async () => {
      this.#isLeaving = false;
      try {
        const { editOutside } = await import('./external-editor.js');
        const edited = await editOutside(this.#context, text);
        this.#model = { ...this.#model, edit: put(this.#model.edit, edited) };
      } catch (error) {
        failure = error;
      }
    });
    const { signal } = this.#context.interruptions;
    if (failure !== undefined && !signal.aborted) {
      reportError(failure, exitCodeOf(failure), this.#context);
    }
  }

  /** A line that was sent stays on the screen, as it was written. */
  #keep(text: string): void {
    this.#paint(layOutSent(text, this.#surroundings()));
    this.#write(this.#painter.keep());
  }

  #draw(): void {
    clearImmediate(this.#drawing);
    this.#drawing = undefined;
    const isVisible =
      this.#mode === 'reading' || (this.#mode === 'working' && this.#live !== undefined);
    if (!isVisible || this.#isAway || !this.#raw.isEntered) return this.hide();
    this.#paint(layOut(this.#model, this.#surroundings()));
  }

  #paint(block: Block): void {
    if (this.#isInLine) this.#write('\r\n');
    this.#isInLine = false;
    this.#write(this.#painter.paint(block));
  }

  #surroundings(): Surroundings {
    const { stdout, colors } = this.#context.terminal;
    const { prompt } = this.#options;
    const waiting = this.#waiting.flatMap((line) => (line.kind === 'line' ? [line.text] : []));
    const [columns, rows] = [stdout.columns || 80, stdout.rows || 24];
    return { columns, rows, prompt, colors, status: this.#live, waiting };
  }

  #write(bytes: string): void {
    if (bytes !== '') this.#context.terminal.stdout.write(bytes);
  }
}
