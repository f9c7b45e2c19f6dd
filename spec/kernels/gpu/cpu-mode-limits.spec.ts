import { createGpuBackend } from '../../../kernels/gpu';
import { describeOn } from './support/device';
import { describeFailures, describeSplitting } from './support/limits';

describeOn('cpu', null, (device) => {
  describeSplitting(device);
  describeFailures(device);
});

test('an unknown device is an invalid argument; one that is not here is unavailable, and the message says why', async () => {
  await expect(createGpuBackend({ device: 'cuda' as 'cpu' })).rejects.toMatchObject({
    code: 'argument-invalid',
    message: expect.stringContaining('webgpu, webgl2, headlessgl, cpu'),
  });
  await expect(createGpuBackend({ device: 'webgl2' })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('WebGL 2'),
  });
});
