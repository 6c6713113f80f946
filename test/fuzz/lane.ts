import { setTimeout as delay } from 'node:timers/promises';
import { runCommand } from './command-run.ts';
import type { FuzzCase } from './fuzz-case.ts';
import { checkCase, type Violation } from './check-case.ts';
import { LEAK_BYTES, PEAK_BYTES } from './limits.ts';
import type { CaseReport } from './report.ts';
import { startFuzzServer, type FuzzServer } from './server/fuzz-server.ts';
import { SubjectProcess, type SubjectOptions } from './subject-process.ts';

/** What a case came to. */
export interface CaseOutcome {
  violations: Violation[];
  report: CaseReport;
  /** What the server said, the beginning of it. */
  said: readonly string[];
}

const CLOSING_MS = 3000;
/** A process that has seen so many cases has seen what can pile up. */
const MAX_CASES = 300;
/** What a process needs to have loaded and compiled all that it ever will. */
const WARM_CASES = 30;

/** Runs cases one after the other, those of the library in a process that stays. */
export class Lane implements AsyncDisposable {
  readonly #subject: SubjectOptions;
  #process: SubjectProcess | undefined;
  #cases = 0;
  #warmHeapBytes = 0;

  /** @param subject what cases of the library run */
  constructor(subject: SubjectOptions = {}) {
    this.#subject = subject;
  }

  async run(fuzzCase: FuzzCase): Promise<CaseOutcome> {
    await using server = await startFuzzServer(fuzzCase);
    const { subject } = fuzzCase;
    const report =
      subject === 'library'
        ? await this.#meet(fuzzCase, server)
        : await runCommand(subject, server.target);
    report.openAtServer =
      report.died === undefined && report.pending.length === 0 ? await leftOpen(server) : 0;
    const violations = checkCase(fuzzCase, report);
    if (subject === 'library') violations.push(...this.#checkHeap(report));
    if (subject === 'library' && violations.length > 0) await this.renew();
    return { violations, report, said: server.said };
  }

  /** The next case meets a new process. */
  async renew(): Promise<void> {
    const ending = this.#process;
    this.#process = undefined;
    await ending?.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.renew();
  }

  async #meet(fuzzCase: FuzzCase, { target }: FuzzServer): Promise<CaseReport> {
    if (this.#process?.isEnded === true || this.#cases >= MAX_CASES) await this.renew();
    this.#process ??= await this.#warmProcess(fuzzCase);
    this.#cases += 1;
    const report = await this.#process.meet({ target, listens: fuzzCase.listens });
    // What comes next is not to be blamed for what was before.
    if ((report.vitals?.peakBytes ?? 0) > PEAK_BYTES / 3) await this.renew();
    return report;
  }

  /** A process that has met a server of this transport, so that limits are none of its start. */
  async #warmProcess({ seed, transport }: FuzzCase): Promise<SubjectProcess> {
    const subject = new SubjectProcess(this.#subject);
    this.#cases = 0;
    const easy = {
      seed,
      transport,
      number: 0,
      subject: 'library',
      listens: true,
      faults: [],
    } as const;
    await using server = await startFuzzServer(easy);
    await subject.meet({ target: server.target, listens: true });
    // One that does not survive that is found out by the case itself.
    return subject.isEnded ? new SubjectProcess(this.#subject) : subject;
  }

  #checkHeap({ vitals }: CaseReport): Violation[] {
    if (vitals === undefined || this.#cases < WARM_CASES) return [];
    if (this.#cases === WARM_CASES) this.#warmHeapBytes = vitals.heapBytes;
    const grownBytes = vitals.heapBytes - this.#warmHeapBytes;
    if (grownBytes <= LEAK_BYTES) return [];
    const detail = `the heap grew by ${Math.round(grownBytes / 2 ** 20)} MiB in ${this.#cases} cases`;
    return [{ kind: 'memory', detail }];
  }
}

async function leftOpen(server: { open(): number }): Promise<number> {
  for (let waitedMs = 0; waitedMs < CLOSING_MS && server.open() > 0; waitedMs += 20)
    await delay(20);
  return server.open();
}
