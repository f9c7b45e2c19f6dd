/** @jest-environment ./spec/kernels/gpu/support/webgpu-environment.ts */
import { describeOn, unasked, webgpuMissing } from './support/device';
import { describeDeviceLost, describeFailures, describeLargeHead, describeSplitting } from './support/limits';
import { describeGoldens, describeResidency, describeSpeculation } from './support/models';

describeOn('webgpu', unasked('webgpu', webgpuMissing()), (device) => {
  describeGoldens(device, { target: 1, draft: 5 });
  describeSpeculation(device, 1);
  describeResidency(device);
  describeSplitting(device);
  describeFailures(device);
  describeDeviceLost(device);
  describeLargeHead(device);
});
