import { printable } from '../../common';
import { COST_WAYS, type CostWay, type KeptCosts, type KeptWay } from '../../decoding';

const FORMAT = 'tandem-costs';
/** It rises whenever costs of an older version would be misread. */
const VERSION = 2;

/** What costs belong to: models, types, backend, threads, machine. Costs of another key are not taken. */
export type CostKey = Readonly<Record<string, string | number | boolean | null>>;

/** Most points of one curve in a file. */
const MOST_POINTS = 256;
/** No call takes a million times another. */
const LARGEST_COST = 1e6;

/** The text of a file of costs. */
export function writeKept(key: CostKey, costs: KeptCosts): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, key, ...costs })}\n`;
}

/** What a file of costs says of itself and of each way of decoding. */
export interface CostFile {
  readonly key: CostKey;
  readonly costs: KeptCosts;
}

/** Reads the text of a file. @throws Error with what was expected and what was found */
export function readKept(text: string): CostFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong('JSON', text);
  }
  const { format, version, key, ...rest } = (value ?? {}) as Record<string, unknown>;
  if (format !== FORMAT || version !== VERSION) throw wrong(`${FORMAT}, version ${VERSION}`, { format, version });
  if (!isKey(key)) throw wrong('a key of texts and numbers', key);
  const costs: { [Way in CostWay]?: KeptWay } = {};
  for (const way of COST_WAYS) {
    const found = rest[way];
    if (found === undefined) continue;
    if (!isWay(found)) throw wrong(`costs of ${way} decoding that are numbers in range, by rising rows`, found);
    costs[way] = found;
  }
  return { key, costs };
}

/** Whether two keys name the same models, settings and machine. */
export function isSameKey(a: CostKey, b: CostKey): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

const MOST_CHARACTERS = 60;

function wrong(expected: string, found: unknown): Error {
  const text = printable(typeof found === 'string' ? found : (JSON.stringify(found) ?? 'nothing'));
  const short = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
  return new Error(`expected ${expected}, found ${short === '' ? 'nothing' : short}`);
}

function isKey(value: unknown): value is CostKey {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((one) => one === null || ['string', 'number', 'boolean'].includes(typeof one));
}

function isWay(value: unknown): value is KeptWay {
  if (typeof value !== 'object' || value === null) return false;
  const { target, draft, further, opening, alpha } = value as Partial<KeptWay>;
  if (!isCurve(target, 1e-6) || target.length === 0 || !isCurve(draft, 0) || !isCurve(further, 0)) return false;
  return isCost(opening, 0) && isCost(alpha, 0, 1);
}

function isCurve(value: unknown, least: number): value is KeptWay['target'] {
  if (!Array.isArray(value) || value.length > MOST_POINTS) return false;
  return value.every((point, i) => {
    if (!Array.isArray(point) || point.length !== 2) return false;
    const before = i === 0 ? 0 : (value[i - 1][0] as number);
    return Number.isSafeInteger(point[0]) && point[0] > before && isCost(point[1], least);
  });
}

function isCost(value: unknown, least: number, most = LARGEST_COST): boolean {
  return typeof value === 'number' && value >= least && value <= most;
}
