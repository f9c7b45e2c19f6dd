import { Tandem } from 'tandem-t5';

// vite copies public/ beside the page: `cp -r node_modules/tandem-t5/models public/models`.
const loading = Tandem.load(undefined, { bundledUrl: '/models/' });

addEventListener('message', async ({ data: source }) => {
  const tandem = await loading;
  for await (const event of tandem.stream(source, { maxNewTokens: 64 })) {
    if (event.kind === 'token') postMessage(event.text);
  }
});
