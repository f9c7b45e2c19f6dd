import { describeOn, headlessGlMissing, unasked } from './support/device';
import { describeFailures, describeLargeHead, describeSplitting } from './support/limits';
import { describeGoldens, describeResidency, describeSpeculation } from './support/models';

describeOn('headlessgl', unasked('headlessgl', headlessGlMissing()), (device) => {
  describeGoldens(device, { target: 1, draft: 2 });
  describeSpeculation(device, 1);
  describeResidency(device);
  describeSplitting(device);
  describeFailures(device);
  describeLargeHead(device);
});
