import { useEffect, useRef, useState } from 'preact/hooks';

export interface Playback {
  /** Milliseconds of the runs that are shown; infinite when all is. */
  readonly time: number;
  play(speed: number): void;
  showAll(): void;
}

/** A clock that shows runs again as they went, or slower. */
export function usePlayback(length: number): Playback {
  const [time, setTime] = useState(Number.POSITIVE_INFINITY);
  const frame = useRef(0);
  const stop = () => cancelAnimationFrame(frame.current);
  useEffect(() => stop, []);
  return {
    time,
    showAll: () => {
      stop();
      setTime(Number.POSITIVE_INFINITY);
    },
    play: (speed) => {
      stop();
      const start = performance.now();
      const tick = (now: number) => {
        const passed = Math.max(0, now - start) * speed;
        const isOver = passed >= length;
        setTime(isOver ? Number.POSITIVE_INFINITY : passed);
        if (!isOver) frame.current = requestAnimationFrame(tick);
      };
      frame.current = requestAnimationFrame(tick);
    },
  };
}
