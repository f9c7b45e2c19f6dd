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

/** Shows its children one after the other, one more in each frame; `first` of them at once. */
export function Gradually({ children, first = 1 }: { children: ComponentChildren; first?: number }) {
  const parts = toChildArray(children);
  return parts.slice(0, first + useStages(parts.length - first));
}
