import { render } from 'preact';
import { App } from './app';
import { isolate } from './isolation';

const root = document.getElementById('app') as HTMLElement;
isolate().then((stays) => {
  // In a task of its own: with the evaluation of the script and the first layout it would be one long task.
  if (stays) setTimeout(() => render(<App />, root));
});
