/** What is written to standard error, and what that stream is. */
export interface Screen {
  readonly written: string[];
  /** Puts the stream back. */
  restore(): void;
}

/** Takes standard error over. A terminal has 300 columns. */
export function screen(terminal: boolean): Screen {
  const written: string[] = [];
  const fields = { isTTY: terminal, columns: 300, write: (text: string) => written.push(text) > 0 };
  const before = Object.keys(fields).map(
    (name) => [name, Object.getOwnPropertyDescriptor(process.stderr, name)] as const,
  );
  for (const [name, value] of Object.entries(fields)) {
    Object.defineProperty(process.stderr, name, { value, configurable: true, writable: true, enumerable: true });
  }
  const restore = () => {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(process.stderr, name, descriptor);
      else Reflect.deleteProperty(process.stderr, name);
    }
  };
  return { written, restore };
}
