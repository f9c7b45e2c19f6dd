import { useEffect, useRef, useState } from 'preact/hooks';
import type { Engine } from '../client';
import type { DecodeRequest, Finished, ShownRound, ShownToken } from '../protocol';

/** A run as far as it has come. */
export interface Run {
  readonly tokens: readonly ShownToken[];
  readonly rounds: readonly ShownRound[];
  readonly finished: Finished | null;
}

export const NO_RUN: Run = { tokens: [], rounds: [], finished: null };

/** Decodes, and tells of the run at most once a frame. */
export async function follow(
  engine: Engine,
  request: DecodeRequest,
  signal: AbortSignal,
  show: (run: Run) => void,
): Promise<Run> {
  const tokens: ShownToken[] = [];
  const rounds: ShownRound[] = [];
  let frame = 0;
  const later = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (!signal.aborted) show({ tokens: [...tokens], rounds: [...rounds], finished: null });
    });
  };
  try {
    const finished = await engine.decode(request, {
      signal,
      hear: (event) => {
        if (event.kind === 'token') tokens.push(event.token);
        if (event.kind === 'round') rounds.push(event.round);
        later();
      },
    });
    const run = { tokens, rounds, finished };
    if (!signal.aborted) show(run);
    return run;
  } finally {
    cancelAnimationFrame(frame);
  }
}

/** What panels keep when another one is shown. */
const kept = new Map<string, unknown>();

/** State that outlives the panel. */
export function useKept<T>(name: string, initial: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(kept.has(name) ? (kept.get(name) as T) : initial);
  return [
    value,
    (next: T) => {
      kept.set(name, next);
      setValue(next);
    },
  ];
}

/** How long the settings must rest before work begins: a slider that moves does not start a run at each step. */
const REST_MILLISECONDS = 180;

/**
 * Does work whenever `key` has changed and rested; what was begun before is cancelled. Work that has been done for this key
 * already, before another panel was shown, is not done again.
 */
export function useWork(name: string, key: string | null, work: (signal: AbortSignal) => Promise<void>) {
  const [done, setDone] = useKept<string | null>(`${name} done`, null);
  const [error, setError] = useKept<string | null>(`${name} error`, null);
  const [isRunning, setRunning] = useState(false);
  const again = useRef(0);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (key === null || (done === key && turn === again.current)) return;
    const first = done === null;
    const controller = new AbortController();
    const start = async () => {
      again.current = turn;
      setRunning(true);
      setError(null);
      try {
        await work(controller.signal);
        if (!controller.signal.aborted) setDone(key);
      } catch (failure) {
        if (!controller.signal.aborted) setError((failure as Error).message);
      } finally {
        if (!controller.signal.aborted) setRunning(false);
      }
    };
    const timer = setTimeout(start, first ? 0 : REST_MILLISECONDS);
    return () => {
      clearTimeout(timer);
      controller.abort();
      setRunning(false);
    };
  }, [key, turn]);
  return { isRunning, error, repeat: () => setTurn(turn + 1) };
}
