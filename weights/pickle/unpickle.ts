import { quoted } from '../../common';
import { WeightsError } from '../errors';

/** What a pickle may hold. Lists and tuples are both arrays. */
export type Pickled = null | boolean | number | bigint | string | Pickled[] | Dictionary | object;

/** A dict of Python. Keys are not compared: the reader of the dict takes the last of equal ones, as Python does. */
export class Dictionary {
  readonly keys: Pickled[] = [];
  readonly values: Pickled[] = [];
}

/** What a pickle can have made besides plain data. Everything that these do not know, they refuse. */
export interface Makers {
  /** The class or function of a name. It is data: only `call` gives it a meaning. */
  global(module: string, name: string): object;
  call(callee: Pickled, args: Pickled): Pickled;
  /** What stands outside of the pickle. */
  persistent(id: Pickled): Pickled;
}

/** Most operations of one pickle. A tensor of a state dict takes about 40; the memo and the stack have no more values. */
const MOST_OPERATIONS = 1 << 20;

/** The bytes ended inside a pickle. A longer beginning of the file may have the rest. */
export class PickleEnded extends Error {}

/**
 * Runs the operations of one pickle (Python's `pickletools.py` lists them): plain data of protocols 2 to 5. There is no operation here that
 * imports or executes anything.
 *
 * @param start where the pickle begins in `bytes`
 * @returns its value, and where it ends
 * @throws WeightsError `header-invalid`; PickleEnded
 */
export function unpickle(
  bytes: Uint8Array,
  { file, makers, start = 0 }: { file: string; makers: Makers; start?: number },
): { value: Pickled; end: number } {
  return new Machine(bytes, file, makers, start).run();
}

class Machine {
  private stack: Pickled[] = [];
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, Pickled>();

  constructor(
    private readonly bytes: Uint8Array,
    private readonly file: string,
    private readonly makers: Makers,
    private at: number,
  ) {}

  run(): { value: Pickled; end: number } {
    for (let count = 0; count < MOST_OPERATIONS; count++) {
      const code = this.u8();
      if (code === 0x2e) return { value: this.pop(), end: this.at }; // .
      const operation = OPERATIONS[code];
      if (operation === undefined) {
        const found = `operation 0x${code.toString(16).padStart(2, '0')} at ${this.at - 1}`;
        throw this.error('a pickle of plain data and tensors', found);
      }
      operation(this);
    }
    throw this.error(`a pickle of at most ${MOST_OPERATIONS} operations`, 'more');
  }

  push(value: Pickled): void {
    this.stack.push(value);
  }

  pop(): Pickled {
    const value = this.stack.pop();
    if (value === undefined || this.stack.length < (this.marks.at(-1) ?? 0))
      throw this.error('a value', 'an empty stack');
    return value;
  }

  top(): Pickled {
    const value = this.pop();
    this.push(value);
    return value;
  }

  mark(): void {
    this.marks.push(this.stack.length);
  }

  /** The values since the last mark. */
  sinceMark(): Pickled[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.error('a mark on the stack', 'none');
    return this.stack.splice(mark);
  }

  tuple(length: number): void {
    const items: Pickled[] = [];
    for (let i = 0; i < length; i++) items.unshift(this.pop());
    this.push(items);
  }

  append(items: readonly Pickled[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.error('a list to append to', describe(list));
    for (const item of items) list.push(item);
  }

  set(items: readonly Pickled[]): void {
    const dictionary = this.top();
    if (!(dictionary instanceof Dictionary) || items.length % 2 !== 0) {
      throw this.error('a dict to set pairs in', describe(dictionary));
    }
    for (let i = 0; i < items.length; i += 2) {
      dictionary.keys.push(items[i]);
      dictionary.values.push(items[i + 1]);
    }
  }

  get(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw this.error(`a value under ${index} in the memo`, 'none');
    this.push(value);
  }

  put(index: number): void {
    this.memo.set(index, this.top());
  }

  memoize(): void {
    this.put(this.memo.size);
  }

  global(module: Pickled, name: Pickled): void {
    if (typeof module !== 'string' || typeof name !== 'string') throw this.error('the name of a class', describe(name));
    this.push(this.makers.global(module, name));
  }

  reduce(): void {
    const args = this.pop();
    this.push(this.makers.call(this.pop(), args));
  }

  persistent(): void {
    this.push(this.makers.persistent(this.pop()));
  }

  /** Attributes of an object. A state dict has some that no tensor depends on. */
  build(): void {
    this.pop();
    const owner = this.top();
    if (!(owner instanceof Dictionary)) throw this.error('attributes of a dict', `attributes of ${describe(owner)}`);
  }

  u8(): number {
    if (this.at >= this.bytes.length) throw new PickleEnded();
    return this.bytes[this.at++];
  }

  u16(): number {
    return this.take(2).getUint16(0, true);
  }

  i32(): number {
    return this.take(4).getInt32(0, true);
  }

  u32(): number {
    return this.take(4).getUint32(0, true);
  }

  u64(): number {
    const value = this.take(8).getBigUint64(0, true);
    if (value > BigInt(this.bytes.length)) throw new PickleEnded(); // it is a length
    return Number(value);
  }

  float(): number {
    return this.take(8).getFloat64(0, false);
  }

  /** A whole number of up to 255 bytes, in two's complement. */
  long(): Pickled {
    const length = this.u8();
    const bytes = this.part(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
    value = BigInt.asIntN(length * 8, value);
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }

  text(length: number): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.part(length));
    } catch (error) {
      if (error instanceof PickleEnded) throw error;
      throw this.error('text in UTF-8', 'other bytes');
    }
  }

  /** Text up to the end of the line. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new PickleEnded();
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  part(length: number): Uint8Array {
    const { at } = this;
    if (at + length > this.bytes.length) throw new PickleEnded();
    this.at += length;
    return this.bytes.subarray(at, at + length);
  }

  private take(length: number): DataView {
    const part = this.part(length);
    return new DataView(part.buffer, part.byteOffset, length);
  }

  private error(expected: string, found: string): WeightsError {
    return new WeightsError('header-invalid', `${this.file}: pickle: expected ${expected}, found ${found}`);
  }
}

function describe(value: Pickled): string {
  return value instanceof Dictionary ? 'a dict' : quoted(value);
}

type Operation = (machine: Machine) => void;

/** What each byte does. Names are those of Python's `pickle.py`. */
const OPERATIONS: Readonly<Record<number, Operation>> = {
  128: (m) => m.u8(), // PROTO
  149: (m) => m.part(8), // FRAME: its length is no limit of anything here
  40: (m) => m.mark(), // MARK
  48: (m) => m.pop(), // POP
  78: (m) => m.push(null), // NONE
  136: (m) => m.push(true), // NEWTRUE
  137: (m) => m.push(false), // NEWFALSE
  74: (m) => m.push(m.i32()), // BININT
  75: (m) => m.push(m.u8()), // BININT1
  77: (m) => m.push(m.u16()), // BININT2
  138: (m) => m.push(m.long()), // LONG1
  71: (m) => m.push(m.float()), // BINFLOAT
  85: (m) => m.push(m.text(m.u8())), // SHORT_BINSTRING
  84: (m) => m.push(m.text(m.u32())), // BINSTRING
  140: (m) => m.push(m.text(m.u8())), // SHORT_BINUNICODE
  88: (m) => m.push(m.text(m.u32())), // BINUNICODE
  141: (m) => m.push(m.text(m.u64())), // BINUNICODE8
  93: (m) => m.push([]), // EMPTY_LIST
  97: (m) => m.append([m.pop()]), // APPEND
  101: (m) => m.append(m.sinceMark()), // APPENDS
  41: (m) => m.push([]), // EMPTY_TUPLE
  116: (m) => m.push(m.sinceMark()), // TUPLE
  133: (m) => m.tuple(1), // TUPLE1
  134: (m) => m.tuple(2), // TUPLE2
  135: (m) => m.tuple(3), // TUPLE3
  125: (m) => m.push(new Dictionary()), // EMPTY_DICT
  115: (m) => m.set([m.pop(), m.pop()].reverse()), // SETITEM
  117: (m) => m.set(m.sinceMark()), // SETITEMS
  104: (m) => m.get(m.u8()), // BINGET
  106: (m) => m.get(m.u32()), // LONG_BINGET
  113: (m) => m.put(m.u8()), // BINPUT
  114: (m) => m.put(m.u32()), // LONG_BINPUT
  148: (m) => m.memoize(), // MEMOIZE
  99: (m) => m.global(m.line(), m.line()), // GLOBAL
  147: (m) => stackGlobal(m), // STACK_GLOBAL
  82: (m) => m.reduce(), // REDUCE
  81: (m) => m.persistent(), // BINPERSID
  98: (m) => m.build(), // BUILD
};

function stackGlobal(machine: Machine): void {
  const name = machine.pop();
  machine.global(machine.pop(), name);
}
