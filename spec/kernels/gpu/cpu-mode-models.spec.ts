import { describeOn } from './support/device';
import { describeGoldens, describeResidency, describeSpeculation } from './support/models';

// Runs everywhere: the kernels of the gpu backend as JavaScript.
describeOn('cpu', null, (device) => {
  describeGoldens(device, { target: 1, draft: 5 });
  describeSpeculation(device, 1);
  describeResidency(device);
});
