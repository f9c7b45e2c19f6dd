import { type ComponentChildren, toChildArray } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const { port1, port2 } = new MessageChannel();
const waiting: (() => unknown)[] = [];
port1.onmessage = () => waiting.shift()?.();

/** Does work in a task of its own: browsers handle an event and draw the frame after it in one task. */
export function inOwnTask(work: () => unknown): void {
  waiting.push(work);
  port2.postMessage(null);
}

/** Milliseconds after which the next part comes where no frame is drawn: in a page that is not seen. */
const UNSEEN_MILLISECONDS = 100;

/**
 * Counts frames from the first one on, up to `last`. A panel with many parts shows one more of them in each frame: all of them in
 * one frame would keep the page from answering.
 */
export function useStages(last: number): number {
  const [stage, setStage] = useState(0);
  useEffect(() => {
    if (stage >= last) return;
    const next = () => setStage(stage + 1);
    const frame = requestAnimationFrame(() => setTimeout(next));
    const timer = setTimeout(next, UNSEEN_MILLISECONDS);
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  }, [stage, last]);
  return stage;
}

interface GraduallyProps {
  readonly children: ComponentChildren;
  /** Children that are there at once. Default 1. */
  readonly first?: number;
  /** Children that each later frame adds. Default 1. */
  readonly each?: number;
}

/** Shows its children one after the other, so that no frame adds many of them. */
export function Gradually({ children, first = 1, each = 1 }: GraduallyProps) {
  const parts = toChildArray(children);
  return parts.slice(0, usePortion(parts.length, each, first));
}

/** How many of a list's items are shown by now: `first` at once, and `each` more in each frame. */
export function usePortion(count: number, each: number, first = each): number {
  return Math.min(count, first + each * useStages(Math.ceil((count - first) / each)));
}
