import type { ComponentChildren } from 'preact';

interface Axis {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly format?: (value: number) => string;
  /** Whether equal distances are equal ratios. */
  readonly isLog?: boolean;
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
  }[];
  /** Horizontal lines with a name. */
  readonly marks?: readonly { readonly name: string; readonly y: number }[];
}

const WIDTH = 520;
const HEIGHT = 250;
const LEFT = 54;
const RIGHT = 24;
const TOP = 14;
const BOTTOM = 38;

/** Curves over one axis. The sizes are those of its own units; it is as wide as its place. */
export function Curves({ title, x, y, lines, points = [], marks = [] }: CurvesProps) {
  const toX = (value: number) => LEFT + shareOf(x, value) * (WIDTH - LEFT - RIGHT);
  const toY = (value: number) => HEIGHT - BOTTOM - shareOf(y, value) * (HEIGHT - TOP - BOTTOM);
  const pathOf = (all: readonly XY[]) =>
    all.map(([a, b], i) => `${i === 0 ? 'M' : 'L'}${toX(a).toFixed(1)} ${toY(Math.min(b, y.to)).toFixed(1)}`).join('');
  return (
    <figure class="curves">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={title}>
        {ticks(y).map((value) => (
          <g key={`y${value}`} class="tick-line">
            <line x1={LEFT} x2={WIDTH - RIGHT} y1={toY(value)} y2={toY(value)} />
            <Label x={LEFT - 8} y={toY(value) + 4} anchor="end">
              {(y.format ?? String)(value)}
            </Label>
          </g>
        ))}
        {ticks(x).map((value) => (
          <Label key={`x${value}`} x={toX(value)} y={HEIGHT - BOTTOM + 18} anchor="middle">
            {(x.format ?? String)(value)}
          </Label>
        ))}
        <Label x={WIDTH - RIGHT} y={HEIGHT - 4} anchor="end">
          {x.label}
        </Label>
        {marks.map(({ name, y: at }) => (
          <g key={name} class="level">
            <line x1={LEFT} x2={WIDTH - RIGHT} y1={toY(at)} y2={toY(at)} />
            <Label x={WIDTH - RIGHT} y={toY(at) - 6} anchor="end">
              {name}
            </Label>
          </g>
        ))}
        {lines.map(({ name, side, points: all }) => (
          <path key={name} class={`curve ${side}`} d={pathOf(all)} />
        ))}
        {points.map(({ name, side, at, isHollow }) => (
          <g key={name} class={`point ${side} ${isHollow ? 'hollow' : ''}`}>
            {at.map(([a, b], i) => (
              <circle key={i} cx={toX(a)} cy={toY(Math.min(b, y.to))} r="5.5" />
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
        {points.map(({ name, side, isHollow }) => (
          <span key={name}>
            <i class={`point-swatch ${side} ${isHollow ? 'hollow' : ''}`} /> {name}
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

/** Round values of an axis, about five of them; the powers of ten where it is logarithmic. */
function ticks({ from, to, isLog }: Axis): number[] {
  if (isLog) {
    const [first, last] = [from, to].map((end) => Math.round(Math.log10(end)));
    return Array.from({ length: last - first + 1 }, (_, i) => Number((10 ** (first + i)).toPrecision(6)));
  }
  const rough = (to - from) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(6)),
  );
}
