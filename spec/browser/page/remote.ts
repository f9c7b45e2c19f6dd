/** The page's side of the talk with the spec; support/channel.ts is the other side and tells how it goes. */

type PageFunction = (...args: never[]) => unknown;

function post(path: string, body: object): Promise<Response> {
  return fetch(path, { method: 'POST', body: JSON.stringify(body) });
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.name}: ${error.message}\n${error.stack ?? ''}`;
}

/** Tells the spec which test begins, so that a hang can be named. */
export async function reportProgress(title: string): Promise<void> {
  await post('/progress', { title });
}

/** Does what the spec asks, by calling these functions by name, until the page is closed. */
export function serveCalls(functions: Readonly<Record<string, PageFunction>>): void {
  addEventListener('error', ({ message, filename, lineno }) => {
    post('/fault', { message: `${message} (${filename}:${lineno})` });
  });
  addEventListener('unhandledrejection', ({ reason }) => {
    post('/fault', { message: textOf(reason) });
  });
  const jobs = new EventSource(`/jobs?page=${location.pathname}`);
  jobs.onmessage = async ({ data }) => {
    const { visit, id, name, args } = JSON.parse(data);
    if (visit !== undefined) return location.assign(visit);
    try {
      if (functions[name] === undefined) throw new Error(`expected a function of the page, found the name ${name}`);
      await post('/answer', { id, value: await functions[name](...(args as never[])) });
    } catch (error) {
      await post('/answer', { id, error: textOf(error) });
    }
  };
}
