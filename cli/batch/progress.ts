import { counted } from '../../common';
import type { Line } from '../files';
import type { Watcher } from './run';

/** How often progress is told: on a terminal, and in a log. */
const EVERY_MS = { terminal: 500, log: 30_000 };

export interface ProgressOptions {
  /** Bytes of the input; null where nobody knows. */
  readonly size: number | null;
  readonly quiet: boolean;
  /** Milliseconds. Default: performance.now. */
  readonly clock?: () => number;
}

/**
 * Tells on standard error how many records there are, how fast they come, and how long the rest takes. On a terminal it is one
 * line that changes; elsewhere it is a plain line every 30 seconds.
 */
export class BatchProgress implements Watcher {
  private readonly clock: () => number;
  private started: number;
  private records = 0;
  private failed = 0;
  /** Bytes of the input that are done, and how many of them were done before this run. */
  private bytes = 0;
  private earlier = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly terminal = process.stderr.isTTY === true;

  constructor(private readonly options: ProgressOptions) {
    this.clock = options.clock ?? (() => performance.now());
    this.started = this.clock();
  }

  /** The work begins now: the models are loaded. */
  begin(): void {
    this.started = this.clock();
    if (this.options.quiet) return;
    this.timer = setInterval(() => this.tell(), this.terminal ? EVERY_MS.terminal : EVERY_MS.log);
    this.timer.unref();
  }

  get failures(): number {
    return this.failed;
  }

  passed(line: Line): void {
    this.bytes += lineBytes(line);
    if (this.records === 0) this.earlier = this.bytes;
  }

  recorded(failed: boolean): void {
    this.records++;
    if (failed) this.failed++;
  }

  /** What is told. */
  get text(): string {
    const seconds = Math.max((this.clock() - this.started) / 1000, 1e-3);
    const { size } = this.options;
    const done = this.bytes - this.earlier;
    const rest = size === null || done <= 0 ? null : ((size - this.bytes) * seconds) / done;
    const parts = [counted(this.records, 'line'), `${(this.records / seconds).toFixed(1)} a second`];
    if (rest !== null && rest > 0) parts.push(`${timeOf(rest)} left`);
    if (this.failed > 0) parts.push(`${this.failed} failed`);
    return parts.join(', ');
  }

  /** The last line. */
  close(): void {
    clearInterval(this.timer);
    if (this.options.quiet) return;
    if (this.terminal) process.stderr.write(CLEAR);
    process.stderr.write(`tandem: ${this.text}\n`);
  }

  private tell(): void {
    process.stderr.write(this.terminal ? `${CLEAR}${this.text}` : `tandem: ${this.text}\n`);
  }
}

/** Bytes of a line and of what ends it. A line that is no text is counted as one that is blank. */
function lineBytes(line: Line): number {
  return ('text' in line ? Buffer.byteLength(line.text) : 0) + 1;
}

const CLEAR = '\r\u001b[K';

/** A time for people: `3 h 20 min`, `5 min 3 s` or `12 s`. */
function timeOf(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours} h ${minutes} min` : minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}
