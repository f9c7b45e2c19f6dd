/** One field of a protobuf message: wire types 0 (varint), 1 (8 bytes), 2 (length-delimited) and 5 (4 bytes). */
export interface Field {
  readonly number: number;
  /** A varint as a number (exact below 2^53); every other wire type as a view of the message's bytes. */
  readonly value: number | Uint8Array;
}

/**
 * Reads a message's fields in order.
 *
 * @throws RangeError that says at which byte the message is broken
 */
export function* protobufFields(message: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    const start = at;
    let value = 0;
    for (let scale = 1; at < message.length && at - start < 10; scale *= 128) {
      const byte = message[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new RangeError(`unfinished number at byte ${start}`);
  };
  const bytes = (length: number): Uint8Array => {
    if (length > message.length - at) {
      throw new RangeError(`a field of ${length} bytes at byte ${at}, where ${message.length - at} are left`);
    }
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const start = at;
    const tag = varint();
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (number < 1 || number > 0x1fffffff) throw new RangeError(`field number ${number} at byte ${start}`);
    if (wire === 0) yield { number, value: varint() };
    else if (wire === 1) yield { number, value: bytes(8) };
    else if (wire === 2) yield { number, value: bytes(varint()) };
    else if (wire === 5) yield { number, value: bytes(4) };
    else throw new RangeError(`wire type ${wire} at byte ${start}`);
  }
}
