import { useEffect, useRef } from 'preact/hooks';
import type { ShownAttention } from '../../protocol';

interface HeatProps {
  readonly shown: ShownAttention;
  readonly title: string;
  /** The chosen reader, or the chosen token that is read. */
  readonly row: number | null;
  readonly column: number | null;
  readonly choose: (row: number, column: number) => void;
}

/** All weights at once, a line for each reader and a column for each token that it reads; one pixel each, drawn larger. */
export function Heat({ shown: { weights, readers, read }, title, row, column, choose }: HeatProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const pen = canvas.current?.getContext('2d');
    if (!canvas.current || !pen) return;
    const image = pen.createImageData(read.length, readers.length);
    const most = weights.reduce((best, weight) => Math.max(best, weight), 0) || 1;
    weights.forEach((weight, i) => {
      // The target's colour; how dark is the root, because most weights are small.
      image.data.set([91, 134, 232, Math.round(255 * Math.sqrt(weight / most))], i * 4);
    });
    pen.putImageData(image, 0, 0);
  }, [weights]);
  const pick = (event: MouseEvent) => {
    const { left, top, width, height } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const at = (from: number, size: number, count: number) =>
      Math.min(count - 1, Math.max(0, Math.floor((from / size) * count)));
    choose(at(event.clientY - top, height, readers.length), at(event.clientX - left, width, read.length));
  };
  const share = (place: number, count: number) => `${(place / count) * 100}%`;
  return (
    <div class="heat">
      <canvas
        ref={canvas}
        width={read.length}
        height={readers.length}
        role="img"
        aria-label={title}
        onClick={pick}
        style={{ height: `${Math.min(420, Math.max(120, readers.length * 8))}px` }}
      />
      {row !== null && (
        <i
          class="line"
          style={{ top: share(row, readers.length), height: share(1, readers.length), left: 0, right: 0 }}
        />
      )}
      {column !== null && (
        <i class="line" style={{ left: share(column, read.length), width: share(1, read.length), top: 0, bottom: 0 }} />
      )}
    </div>
  );
}
