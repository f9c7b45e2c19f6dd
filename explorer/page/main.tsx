import { render } from 'preact';
import { Engine } from '../client';
import { App } from './app';
import { isolate } from './isolation';

const root = document.getElementById('app') as HTMLElement;
isolate().then((stays) => {
  if (!stays) return;
  const engine = new Engine(); // its worker starts while the page is drawn for the first time
  // In a task of its own: with the evaluation of the script and the first layout it would be one long task.
  setTimeout(() => render(<App engine={engine} />, root));
});
