import type { Backend, KernelError } from '../../../kernels';

/** The name of the last call that was made of a backend under `named`. */
let lastCall = '';

/** The same backend; `lastCall` follows its calls. */
export function named(of: Backend): Backend {
  return new Proxy(of, {
    get(target, key) {
      const value = target[key as keyof Backend] as unknown;
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        lastCall = String(key);
        return value.apply(target, args);
      };
    },
  });
}

export const noError = (): never => {
  throw new Error('the call was not refused');
};

/** A refusal says which call it is of. What does not fit is not a call's own fault: the message names the backend. */
export function expectNamed({ code, message }: KernelError): void {
  const begins = code === 'out-of-memory' ? '\\w+: .*' : `${lastCall}(\\([^)]*\\))?: `;
  expect(message).toMatch(new RegExp(`^${begins}expected .*found .`));
}
