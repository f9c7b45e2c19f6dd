/** A module worker that decodes what it is told to, with the package's browser bundle. */
import { decodeText } from './use-bundle.mjs';

addEventListener('message', async ({ data }) => {
  try {
    postMessage({ value: await decodeText(data) });
  } catch (error) {
    postMessage({ error: String(error) });
  }
});
