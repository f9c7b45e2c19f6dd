import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

interface Axis {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly format?: (value: number) => string;
  /** Whether equal distances are equal ratios. */
  readonly isLog?: boolean;
  /** Whether it counts something: no tick lies between two whole numbers. */
  readonly isWhole?: boolean;
}

type Side = 'draft' | 'target' | 'quiet';
type XY = readonly [x: number, y: number];

export interface CurvesProps {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly { readonly name: string; readonly side: Side; readonly points: readonly XY[] }[];
  /** Points, one or several with a name. */
  readonly points?: readonly {
    readonly name: string;
    readonly side: Side;
    readonly at: readonly XY[];
    readonly isHollow?: boolean;
    readonly isSmall?: boolean;
  }[];
  /** Horizontal lines with a name. */
  readonly marks?: readonly { readonly name: string; readonly y: number }[];
}

const FIRST_WIDTH = 520;
const HEIGHT = 260;
const LEFT = 54;
const RIGHT = 24;
const TOP = 14;
const BOTTOM = 38;
/** Pixels between two ticks, at least about so many. */
const APART = { x: 56, y: 40 };

/** How wide an element's place is, in pixels: a drawing of this width has letters of their own size on every screen. */
function useWidth() {
  const box = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(FIRST_WIDTH);
  useLayoutEffect(() => {
    if (box.current === null) return;
    const observer = new ResizeObserver(([{ contentRect }]) => setWidth(Math.round(contentRect.width)));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return { box, width };
}

/** Curves over one axis, as wide as their place. */
export function Curves({ title, x, y, lines, points = [], marks = [] }: CurvesProps) {
  const { box, width } = useWidth();
  const [across, up] = [width - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];
  const toX = (value: number) => LEFT + shareOf(x, value) * across;
  const toY = (value: number) => HEIGHT - BOTTOM - shareOf(y, value) * up;
  const pathOf = (all: readonly XY[]) =>
    all.map(([a, b], i) => `${i === 0 ? 'M' : 'L'}${toX(a).toFixed(1)} ${toY(Math.min(b, y.to)).toFixed(1)}`).join('');
  return (
    <figure class="curves" ref={box}>
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={title}>
        {ticks(y, up / APART.y).map((value) => (
          <g key={`y${value}`} class="tick-line">
            <line x1={LEFT} x2={width - RIGHT} y1={toY(value)} y2={toY(value)} />
            <Label x={LEFT - 8} y={toY(value) + 4} anchor="end">
              {(y.format ?? String)(value)}
            </Label>
          </g>
        ))}
        {ticks(x, across / APART.x).map((value) => (
          <Label key={`x${value}`} x={toX(value)} y={HEIGHT - BOTTOM + 18} anchor="middle">
            {(x.format ?? String)(value)}
          </Label>
        ))}
        <Label x={width - RIGHT} y={HEIGHT - 4} anchor="end">
          {x.label}
        </Label>
        {marks.map(({ name, y: at }) => (
          <g key={name} class="level">
            <line x1={LEFT} x2={width - RIGHT} y1={toY(at)} y2={toY(at)} />
            <Label x={width - RIGHT} y={toY(at) - 6} anchor="end">
              {name}
            </Label>
          </g>
        ))}
        {lines.map(({ name, side, points: all }) => (
          <path key={name} class={`curve ${side}`} d={pathOf(all)} />
        ))}
        {points.map(({ name, side, at, isHollow, isSmall }) => (
          <g key={name} class={`point ${side} ${isHollow ? 'hollow' : ''}`}>
            {at.map(([a, b], i) => (
              <circle key={i} cx={toX(a)} cy={toY(Math.min(b, y.to))} r={isSmall ? 3 : 5.5} />
            ))}
          </g>
        ))}
      </svg>
      <figcaption class="legend">
        {lines.map(({ name, side }) => (
          <span key={name}>
            <i class={`line-swatch ${side}`} /> {name}
          </span>
        ))}
        {points.map(({ name, side, isHollow, isSmall }) => (
          <span key={name}>
            <i class={`point-swatch ${side} ${isHollow ? 'hollow' : ''} ${isSmall ? 'small' : ''}`} /> {name}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function Label({
  x,
  y,
  anchor,
  children,
}: {
  x: number;
  y: number;
  anchor: 'start' | 'middle' | 'end';
  children: ComponentChildren;
}) {
  return (
    <text x={x} y={y} text-anchor={anchor}>
      {children}
    </text>
  );
}

/** Where a value lies on its axis, from 0 to 1. */
function shareOf({ from, to, isLog }: Axis, value: number): number {
  return isLog ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
}

/** Round values of an axis, at most about so many; the powers of ten where it is logarithmic. */
function ticks({ from, to, isLog, isWhole }: Axis, most: number): number[] {
  if (isLog) {
    const [first, last] = [from, to].map((end) => Math.round(Math.log10(end)));
    return Array.from({ length: last - first + 1 }, (_, i) => Number((10 ** (first + i)).toPrecision(6)));
  }
  const least = (to - from) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(least));
  const steps = [1, 2, 2.5, 5, 10].map((factor) => factor * power);
  const step = steps.find((one) => one >= least && (!isWhole || Number.isInteger(one))) ?? Math.ceil(least);
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(6)),
  );
}
